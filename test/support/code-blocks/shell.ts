import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Checks that a shell script has no syntax error. @throws Error with bash's message */
export function checkSyntax(code: string): void {
  execFileSync('bash', ['-n'], { input: code, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** The commands of a script as lists of words, without variables, redirections and comments. */
export function commandsOf(code: string): string[][] {
  return code
    .replaceAll(/\\\n/g, ' ')
    .split(/\n|&&|\||;/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').replace(/\s[0-9]?>\s*\S+/g, ''))
    .map((line) => (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []) as string[])
    .map((words) =>
      words.slice(
        Math.max(
          0,
          words.findIndex((word) => !/^[A-Z_]+=/.test(word)),
        ),
      ),
    )
    .filter(([first]) => first !== undefined && !/^[A-Z_]+=/.test(first));
}

/** Paths of the repository that commands name and that do not exist. */
export function missingFiles(code: string, root: string): string[] {
  const folders = /^(src|test|dev|bench|page|examples|neighbours|scripts|deploy|client)\/[\w./*-]+$/;
  const built = /^(client\/dist|examples\/python\/\.venv|examples\/browser-page\/chat-server-client\.js)/;
  const named = commandsOf(code).flatMap((words) => words.filter((word) => folders.test(word) && !built.test(word)));
  return named.filter((path) => !existsSync(join(root, path)));
}

/**
 * Runs a script with `curl` against a server: its addresses lead there.
 *
 * @param folder the working directory, for files that the script writes
 * @returns the script's output
 * @throws Error if a command fails or the server has no such call
 */
export function runAgainst(
  code: string,
  server: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): string {
  const script = code
    .replaceAll(/https:\/\/chat\.example(\.org)?/g, server)
    .replaceAll('http://127.0.0.1:8080', server)
    .replaceAll(/'Authorization: Bearer [^']*'/g, '"$AUTH"')
    .replaceAll(/curl /g, 'curl -sS --max-time 10 ');
  return execFileSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
}
