import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';

const MAX_GZIP_BYTES = 15_000;

it(`takes at most ${MAX_GZIP_BYTES} bytes in a browser, minified and compressed, with the STOMP library`, async () => {
  const input = fileURLToPath(new URL('../../../client/src/index.ts', import.meta.url));
  const bundle = await rolldown({ input, platform: 'browser' });
  const { output } = await bundle.generate({ format: 'es', minify: true });
  await bundle.close();
  const [{ code, imports }] = output;
  expect(imports).toEqual([]);
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(MAX_GZIP_BYTES);
});
