import { bundlePage } from './page-bundle.ts';

/** Bundles the page if its sources are newer than page/dist/. `npm start` and `npm ci` run it. */
const started = performance.now();
try {
  if (await bundlePage()) process.stdout.write(`built the page in ${Math.round(performance.now() - started)} ms\n`);
} catch (error) {
  // Without the packages for development there is no bundler. The server works all the same.
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write('the page is not built: the package rolldown is not installed\n');
}
