import { createHash } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = `${ROOT}page/dist`;
const SOURCES = ['page/index.html', 'page/{src,static,styles}/**/*.*', 'client/src/**/*.ts', 'scripts/page-bundle.ts'];
const HASH_CHARS = 8;

/**
 * Bundles the page into page/dist/, where the server finds it: one script for each language, one
 * style sheet, and the files of page/static/. Names with a hash never change their content.
 * Does nothing if page/dist/ is newer than its sources.
 * @returns whether anything was built
 */
export async function bundlePage(): Promise<boolean> {
  if (isFresh()) return false;
  // The library takes 60 ms to load, so it is loaded only when it is needed.
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input: { app: `${ROOT}page/src/main.ts` },
    platform: 'browser',
    resolve: { conditionNames: ['chat-server-source', 'import', 'browser', 'default'] },
  });
  const { output } = await bundle.generate({
    format: 'es',
    minify: true,
    entryFileNames: '[name]-[hash].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await bundle.close();

  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  for (const name of readdirSync(`${ROOT}page/static`)) copyFileSync(`${ROOT}page/static/${name}`, `${OUT}/${name}`);
  let script = '';
  for (const file of output) {
    if (file.type !== 'chunk') continue;
    writeFileSync(`${OUT}/${file.fileName}`, file.code);
    if (file.isEntry) script = file.fileName;
  }
  const css = styles();
  const style = `style-${createHash('sha256').update(css).digest('hex').slice(0, HASH_CHARS)}.css`;
  writeFileSync(`${OUT}/${style}`, css);
  // The last file, so that an interrupted build is not fresh.
  const html = readFileSync(`${ROOT}page/index.html`, 'utf8');
  writeFileSync(`${OUT}/index.html`, html.replace('{{script}}', script).replace('{{style}}', style));
  return true;
}

function isFresh(): boolean {
  const built = statSync(`${OUT}/index.html`, { throwIfNoEntry: false });
  if (built === undefined) return false;
  const sources = globSync(SOURCES, { cwd: ROOT });
  return sources.every((path) => statSync(`${ROOT}${path}`).mtimeMs < built.mtimeMs);
}

/** All style sheets in the order of their names, without comments and indentation. */
function styles(): string {
  return globSync('page/styles/*.css', { cwd: ROOT })
    .sort()
    .map((path) => readFileSync(`${ROOT}${path}`, 'utf8'))
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s*\n\s*/g, '\n')
    .trim();
}
