import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asyncApiDocument } from './specs/asyncapi.ts';
import { openApiDocument } from './specs/openapi.ts';
import { withParts } from './specs/pages.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDER = 'docs/public';

/**
 * All files that are generated from the specifications, by path, with the content that they must
 * have: the two documents, and the pages that have generated parts.
 */
export function generatedFiles(): Map<string, string> {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  const documents = { openapi: openApiDocument(version), asyncapi: asyncApiDocument(version) };
  const files = new Map<string, string>();
  for (const [name, document] of Object.entries(documents)) {
    files.set(`${FOLDER}/${name}.json`, `${JSON.stringify(document, null, 1)}\n`);
  }
  for (const path of globSync('docs/**/*.md', { cwd: ROOT }).sort()) {
    const page = readFileSync(ROOT + path, 'utf8');
    if (page.includes('<!-- generated: ')) files.set(path, withParts(page));
  }
  return files;
}

if (import.meta.main) {
  mkdirSync(ROOT + FOLDER, { recursive: true });
  for (const [path, content] of generatedFiles()) writeFileSync(ROOT + path, content);
}
