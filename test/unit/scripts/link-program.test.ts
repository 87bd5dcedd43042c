import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { linkProgram } from '../../../scripts/link-program.ts';

const run = promisify(execFile);

async function clone(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'chat-test-link-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'src/bootstrap'), { recursive: true });
  const main = join(root, 'src/bootstrap/main.js');
  await writeFile(main, '#!/usr/bin/env node\nconsole.log(process.argv[2]);\n');
  await chmod(main, 0o755);
  return root;
}

it('makes npx chat-server run the sources of a clone, also when it is linked again', async () => {
  const root = await clone();
  linkProgram(root);
  linkProgram(root);
  const { stdout } = await run(join(root, 'node_modules/.bin/chat-server'), ['check']);
  expect(stdout).toBe('check\n');
});

it('links nothing into packages that another clone lends', async () => {
  const [lender, root] = [await clone(), await clone()];
  await mkdir(join(lender, 'node_modules'));
  await symlink(join(lender, 'node_modules'), join(root, 'node_modules'));
  linkProgram(root);
  expect(await readdir(join(lender, 'node_modules'))).toEqual([]);
});

it('finds the program of the repository executable', async () => {
  const { mode } = await stat(new URL('../../../src/bootstrap/main.js', import.meta.url));
  expect(mode & 0o111).toBe(0o111);
});
