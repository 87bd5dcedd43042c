import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const TSC = 'node_modules/@typescript/native/bin/tsc';

/**
 * Compiles the package into dist/: the server, the contract suites and their declarations, the
 * pages and the specifications. Node strips no types below node_modules, so an installed package
 * needs JavaScript. dist/ has the folders of the repository, so each relative path in the sources
 * holds there too.
 */
rmSync(`${ROOT}dist`, { recursive: true, force: true });
execFileSync(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
for (const folder of ['page', 'admin']) {
  const filter = (path: string): boolean => !path.endsWith('tsconfig.json');
  cpSync(`${ROOT}${folder}`, `${ROOT}dist/${folder}`, { recursive: true, filter });
}
cpSync(`${ROOT}docs/public`, `${ROOT}dist/docs/public`, { recursive: true });
