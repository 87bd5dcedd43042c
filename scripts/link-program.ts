import { lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = 'chat-server';
const MAIN = 'src/bootstrap/main.js';

/**
 * Makes `npx chat-server` run the sources in a clone of the repository. npm links the programs of
 * the dependencies, and not the program of the package itself. `npm ci` runs this script.
 *
 * Does nothing where `node_modules` is a link to a folder that other clones use too.
 */
export function linkProgram(root: string): void {
  const modules = join(root, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const folder = join(modules, '.bin');
  const link = join(folder, PROGRAM);
  mkdirSync(folder, { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(relative(folder, join(root, MAIN)), link);
}

if (import.meta.main) {
  try {
    linkProgram(fileURLToPath(new URL('../', import.meta.url)));
  } catch (error) {
    // Windows may refuse links. The program is then `node src/bootstrap/main.js`.
    process.stderr.write(`npx ${PROGRAM} is not linked: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
