import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the client of the README as a process. `lines` is its output. */
function runTour(server: string): { tour: ChildProcess; lines: AsyncIterator<string> } {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const code = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const tour = spawn(
    process.execPath,
    ['--input-type=module', '-e', `${code}\nprocess.on('SIGUSR2', () => send('Later'));`],
    {
      cwd: ROOT,
      env: { ...process.env, SERVER: server },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return { tour, lines: createInterface({ input: tour.stdout })[Symbol.asyncIterator]() };
}

/** The next `count` lines, sorted, because a receipt may come before or after the message. */
async function next(lines: AsyncIterator<string>, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) found.push((await lines.next()).value);
  return found.map((line) => line.replace(/ [0-9a-f]{24}$/, '')).sort();
}

it('runs the client of the README, which sends once and misses no message when the server is killed', async () => {
  const server = await ServerProcess.start();
  onTestFinished(() => server.dispose());
  const { tour, lines } = runTour(server.url);
  onTestFinished(() => void tour.kill('SIGKILL'));

  expect(await next(lines, 2)).toEqual(['message 1 Hello', 'stored 1']);
  await server.kill();
  tour.kill('SIGUSR2');
  await server.restart();
  expect(await next(lines, 2)).toEqual(['message 2 Later', 'stored 2']);
});
