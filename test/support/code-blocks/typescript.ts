import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

export interface Source {
  /** Where the block is, such as `docs/reference/client.md:19`. */
  readonly where: string;
  readonly language: string;
  /** Declarations of names that the block uses and does not declare. */
  readonly given: string;
  readonly code: string;
}

/** Errors about missing types, which plain JavaScript may have. */
const IMPLICIT_ANY = ['TS7005', 'TS7006', 'TS7031', 'TS7034', 'TS7053', 'TS18046'];

/**
 * Checks the types of blocks of TypeScript and JavaScript. Each block is a module of its own.
 *
 * @param root of the repository, whose packages the blocks may import
 * @returns one text for each error
 */
export async function typeErrors(sources: readonly Source[], root: string): Promise<string[]> {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/code-blocks-'));
  try {
    sources.forEach(({ where, language, given, code: block }, index) => {
      const code = withPaths(block, dirname(join(root, where)), folder);
      const file = `block-${index}.${language === 'tsx' ? 'tsx' : 'ts'}`;
      writeFileSync(join(folder, file), `${given}\n${code}\nexport {};\n`);
    });
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG));
    const compiler = join(root, 'node_modules/@typescript/native/bin/tsc');
    const output = await promisify(execFile)(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], {
      cwd: folder,
    }).catch((error: { stdout?: string; message: string }) => ({ stdout: error.stdout || error.message }));
    return output.stdout.split('\n').flatMap((line) => errorOf(line, sources));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Imports of files that lie beside the page lead to these files. */
function withPaths(code: string, beside: string, folder: string): string {
  return code.replace(/(?<= from ')\.[^']+(?=')/g, (path) => {
    const file = join(beside, path);
    return existsSync(file) ? relative(folder, file) : path;
  });
}

const CONFIG = {
  extends: '../../tsconfig.json',
  compilerOptions: {
    lib: ['es2024', 'esnext.disposable', 'dom', 'dom.iterable'],
    jsx: 'react-jsx',
    paths: { 'chat-server-client': ['../../client/src/index.ts'] },
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ['*.ts', '*.tsx'],
  exclude: [],
};

function errorOf(line: string, sources: readonly Source[]): string[] {
  const [, index, code = '', message] = /^block-(\d+)\.tsx?\(.*\): error (TS\d+): (.*)$/.exec(line) ?? [];
  const source = sources[Number(index)];
  if (source === undefined) return / error TS/.test(line) || line.startsWith('error') ? [line] : [];
  const isTyped = source.language !== 'js';
  return isTyped || !IMPLICIT_ANY.includes(code) ? [`${source.where}: ${message}`] : [];
}
