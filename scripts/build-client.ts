import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Compiles the client package into client/dist/: JavaScript modules and their declarations. */
rmSync(`${ROOT}client/dist`, { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/@typescript/native/bin/tsc', '-p', 'client'], {
  cwd: ROOT,
  stdio: 'inherit',
});
