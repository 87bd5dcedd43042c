import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { pageRoute } from '../../../src/adapters/http/routes/demo.ts';

const SCRIPT = `/* ${'x'.repeat(2_000)} */`;

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-page-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

async function serve(folder: string): Promise<string> {
  const server = createServer(express().use(pageRoute(folder)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The bytes as they are on the wire. */
function bytesOf(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ encoding: unknown; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers }, async (answer) => {
      const bytes = Buffer.concat(await answer.toArray());
      resolve({ encoding: answer.headers['content-encoding'], bytes });
    });
    call.on('error', reject).end();
  });
}

it('sends the page compressed, names with a hash as immutable, and nothing that the browser has', async () => {
  const url = await serve(await folderOf({ 'index.html': '<p>', 'app-AbCd_1-2.js': SCRIPT }));
  const html = await fetch(url);
  expect(await html.text()).toBe('<p>');
  expect(html.headers.get('cache-control')).toBe('no-cache');
  const etag = html.headers.get('etag') ?? '';
  expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);

  const script = await fetch(`${url}/app-AbCd_1-2.js`);
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  const packed = await bytesOf(`${url}/app-AbCd_1-2.js`, { 'accept-encoding': 'br, gzip;q=0.8' });
  expect(packed.encoding).toBe('gzip');
  expect(gunzipSync(packed.bytes).toString()).toBe(SCRIPT);
});

it.each(['', 'br', 'gzip;q=0', 'identity'])(
  'sends the page as it is to a browser that accepts %j',
  async (accepted) => {
    const url = await serve(await folderOf({ 'index.html': SCRIPT }));
    const { encoding, bytes } = await bytesOf(url, { 'accept-encoding': accepted });
    expect([encoding, bytes.toString()]).toEqual([undefined, SCRIPT]);
  },
);

it('serves no file of another kind, and none outside the folder', async () => {
  const url = await serve(await folderOf({ 'index.html': '<p>', 'secret.txt': 'x', '.env': 'x' }));
  for (const path of ['/secret.txt', '/.env', '/..%2fpackage.json', '/app.js', '//']) {
    expect((await fetch(url + path)).status, path).toBe(404);
  }
});

it('says how to build a page that is missing, and serves one that is built while the server runs', async () => {
  const folder = await folderOf({});
  const url = await serve(folder);
  const missing = await fetch(url);
  expect([missing.status, await missing.text()]).toEqual([404, 'the page is not built: run npm run build:page\n']);
  await writeFile(join(folder, 'index.html'), 'first');
  expect(await (await fetch(url)).text()).toBe('first');
  await writeFile(join(folder, 'index.html'), 'second');
  await utimes(join(folder, 'index.html'), new Date(), new Date(Date.now() + 5_000));
  expect(await (await fetch(url)).text()).toBe('second');
});
