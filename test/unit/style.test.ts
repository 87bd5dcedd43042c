import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['src', 'neighbours', 'page', 'admin', 'dev', 'bench', 'scripts', 'examples', 'client/src', 'test'];
const SOURCES = globSync(`{${FOLDERS.join()}}/**/*.{ts,js}`, { cwd: ROOT });
const PAGES = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'neighbours/*.md', 'client/*.md'], { cwd: ROOT });
const MAX_COLUMNS = 100;

function linesOf(file: string): string[] {
  return readFileSync(join(ROOT, file), 'utf8').split('\n');
}

it('keeps comments of all sources within 100 columns', () => {
  const long = SOURCES.flatMap((file) =>
    linesOf(file).flatMap((line, i) =>
      /^\s*(\/\/|\*|\/\*)/.test(line) && line.length > MAX_COLUMNS ? [`${file}:${i + 1}`] : [],
    ),
  );
  expect(long).toEqual([]);
});

it('keeps the prose of all pages within 100 columns, except tables and code', () => {
  const long = PAGES.flatMap((file) => {
    let isCode = false;
    return linesOf(file).flatMap((line, i) => {
      if (line.startsWith('```')) isCode = !isCode;
      const isExempt = isCode || line.startsWith('|') || line.startsWith('    ');
      return !isExempt && line.length > MAX_COLUMNS ? [`${file}:${i + 1}`] : [];
    });
  });
  expect(long).toEqual([]);
});
