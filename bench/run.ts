/** Runs a bench by its name: `npm run bench -- NAME [arguments]`. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';

const folder = new URL('./', import.meta.url);
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'run.ts')
  .map((entry) => basename(entry.name, '.ts'));
const [name = '', ...rest] = process.argv.slice(2);
if (names.includes(name)) {
  process.argv = [process.argv[0] ?? 'node', new URL(`${name}.ts`, folder).pathname, ...rest];
  await import(new URL(`${name}.ts`, folder).href);
} else {
  process.stderr.write(`npm run bench -- one of: ${names.join(', ')}\n`);
  process.exitCode = 2;
}
