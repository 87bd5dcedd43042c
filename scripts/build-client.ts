import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/**
 * Builds the client package into client/dist/: JavaScript modules, their declarations, and
 * browser.js, which is all of them in one module with the STOMP codec.
 */
rmSync(`${ROOT}client/dist`, { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/@typescript/native/bin/tsc', '-p', 'client'], {
  cwd: ROOT,
  stdio: 'inherit',
});
const bundle = await rolldown({ cwd: `${ROOT}client`, input: 'dist/index.js', platform: 'browser' });
await bundle.write({ file: `${ROOT}client/dist/browser.js`, format: 'es', minify: true });
await bundle.close();
