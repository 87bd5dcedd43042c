import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundlePage } from './page-bundle.ts';

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
cpSync(`${ROOT}admin`, `${ROOT}dist/admin`, {
  recursive: true,
  filter: (path) => !path.endsWith('tsconfig.json'),
});
cpSync(`${ROOT}docs/public`, `${ROOT}dist/docs/public`, { recursive: true });
await bundlePage();
cpSync(`${ROOT}page/dist`, `${ROOT}dist/page/dist`, { recursive: true });
