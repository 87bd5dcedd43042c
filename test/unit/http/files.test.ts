import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it, onTestFinished, vi } from 'vitest';
import { FolderFileStore } from '../../../src/adapters/files/folder-file-store.ts';
import { byteRange } from '../../../src/adapters/http/byte-range.ts';
import { contentDisposition } from '../../../src/adapters/http/content-disposition.ts';
import { createFileLinks } from '../../../src/adapters/http/file-links.ts';
import type { Application } from '../../../src/application/application.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { NOW, type Running, serve } from './harness.ts';

const KEY = 'key_of_the_file';
const HOUR = 3_600_000;
const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');

async function withFile(bytes: Uint8Array, fileName: string | null): Promise<Running & { link: string }> {
  const root = await mkdtemp(join(tmpdir(), 'chat-test-links-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const store = new FolderFileStore(root);
  await store.open();
  await store.put(KEY, Readable.from([bytes]), { fileName });
  const running = await serve({ openFile: (key, range) => store.get(key, range) });
  return { ...running, link: running.options.fileLinks.link(KEY, running.url) };
}

it('shows a picture with headers that keep browsers from reading it as a page', async () => {
  const { link } = await withFile(PNG, 'cat é.png');
  const response = await fetch(link);
  expect(response.status).toBe(200);
  expect(Buffer.from(await response.arrayBuffer())).toEqual(PNG);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/png',
    'content-length': String(PNG.length),
    'content-disposition': `inline; filename="cat _.png"; filename*=UTF-8''cat%20%C3%A9.png`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining('sandbox'),
    'cross-origin-resource-policy': 'cross-origin',
    'accept-ranges': 'bytes',
    'cache-control': expect.stringMatching(/^private, max-age=\d+, immutable$/),
    etag: `"${KEY}"`,
  });
});

it.each([
  ['an HTML page', '<!doctype html><script>alert(1)</script>', 'x.html'],
  ['an HTML page that is named like a picture', '<html><script>alert(1)</script>', 'x.png'],
  ['an SVG image', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 'x.svg'],
  ['XML', '<?xml version="1.0"?><x/>', 'x.xml'],
  ['a text', 'hello', 'x.txt'],
  ['a script', 'alert(1)', 'x.js'],
])('lets browsers save %s and never show it', async (_what, text, name) => {
  const { link } = await withFile(Buffer.from(text), name);
  const response = await fetch(link);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="x\.\w+"/);
  expect(await response.text()).toBe(text);
});

it('keeps the type of a PDF and lets browsers save it', async () => {
  const { headers } = await fetch((await withFile(Buffer.from('%PDF-1.7\n'), null)).link);
  expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual(['application/pdf', 'attachment']);
});

it('serves ranges of a file, and 304 for a file that the client has', async () => {
  const { link } = await withFile(Buffer.from('0123456789'), 'x');
  const get = async (headers: Record<string, string>, method = 'GET') => {
    const response = await fetch(link, { headers, method });
    return [response.status, response.headers.get('content-range'), await response.text()];
  };
  expect(await get({ range: 'bytes=2-4' })).toEqual([206, 'bytes 2-4/10', '234']);
  expect(await get({ range: 'bytes=7-' })).toEqual([206, 'bytes 7-9/10', '789']);
  expect(await get({ range: 'bytes=-2' })).toEqual([206, 'bytes 8-9/10', '89']);
  expect(await get({ range: 'bytes=0-0,5-6' })).toEqual([200, null, '0123456789']);
  expect(await get({ range: 'bytes=10-' })).toEqual([
    416,
    'bytes */10',
    'the range is outside of the file, which has 10 bytes\n',
  ]);
  expect(await get({ range: 'bytes=2-4', 'if-range': `"${KEY}"` })).toEqual([206, 'bytes 2-4/10', '234']);
  expect(await get({ range: 'bytes=2-4', 'if-range': '"other"' })).toEqual([200, null, '0123456789']);
  expect(await get({ 'if-none-match': `"${KEY}"` })).toEqual([304, null, '']);
  expect(await get({}, 'HEAD')).toEqual([200, null, '']);
  expect(await get({ range: 'bytes=2-4' }, 'HEAD')).toEqual([206, 'bytes 2-4/10', '']);
  expect((await fetch(link, { method: 'HEAD' })).headers.get('content-length')).toBe('10');
});

it.each([
  [undefined, 'whole'],
  ['bytes=', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=5-2', 'whole'],
  ['lines=1-2', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=-0', 'none'],
  ['bytes=99-', 'none'],
  ['bytes=0-999999999999999', { start: 0, end: 9 }],
  ['bytes=-999999999999999', { start: 0, end: 9 }],
  ['BYTES= 1-1', { start: 1, end: 1 }],
])('reads the range %j', (header, range) => {
  expect(byteRange(header, 10)).toEqual(range);
  expect(byteRange('bytes=-5', 0)).toBe('none');
});

it('escapes file names that would break out of the header', () => {
  expect(contentDisposition('attachment', 'a"b\\c%41\r\n(x)\'.txt\ud800')).toBe(
    `attachment; filename="a_b_c_41__(x)'.txt_"; filename*=UTF-8''a%22b%5Cc%2541%0D%0A%28x%29%27.txt%EF%BF%BD`,
  );
});

it('opens a file only by a signed link, and only until the link expires', async () => {
  let now = NOW;
  const asked: string[] = [];
  const calls: Partial<Application> = {
    async openFile(key) {
      asked.push(key);
      return null;
    },
  };
  const { options, url } = await serve(calls, { clock: { now: () => now } });
  const link = options.fileLinks.link(KEY, url);
  const status = async (address: string) => (await fetch(address)).status;
  for (const wrong of [
    link.replace(KEY, 'key_of_another'),
    link.replace(/exp=\d+/, 'exp=9999999999'),
    link.replace(/exp=/, 'exp=0'),
    link.replace(/sig=./, 'sig=_'),
    link.replace(/sig=.*/, 'sig='),
    link.replace(/\?.*/, ''),
    `${link}&sig=x`,
    link.replace(KEY, '..%2f..%2fetc%2fpasswd'),
  ]) {
    expect([wrong, await status(wrong)]).toEqual([wrong, 403]);
  }
  expect(await status(link.replace(KEY, '%ff'))).toBe(400);
  expect(asked).toEqual([]);
  expect(await status(link)).toBe(404);
  now += 24 * HOUR - 1;
  expect(await status(link)).toBe(404);
  now += HOUR;
  expect(await status(link)).toBe(403);
});

it('makes the same link for an hour, relative without a base, and accepts the keys of before', () => {
  let now = Math.floor(NOW / HOUR) * HOUR + 1;
  const clock = { now: () => now };
  const [old, young] = [Buffer.from('old secret'), Buffer.from('young secret')];
  const links = createFileLinks({ keys: [old], hours: 1, clock });
  const link = links.link(KEY, '');
  expect(link).toMatch(new RegExp(`^/chat-server/files/${KEY}\\?exp=\\d+&sig=[\\w-]{43}$`));
  now += HOUR - 2;
  expect(links.link(KEY, '')).toBe(link);
  now += 2;
  expect(links.link(KEY, '')).not.toBe(link);
  const { searchParams } = new URL(link, 'http://x');
  const query = { exp: searchParams.get('exp'), sig: searchParams.get('sig') };
  expect(createFileLinks({ keys: [young, old], hours: 1, clock }).verify(KEY, query)).toBeGreaterThan(now);
  expect(createFileLinks({ keys: [young], hours: 1, clock }).verify(KEY, query)).toBeNull();
  expect(links.link('https://bucket/cat.png', 'http://x')).toBe('https://bucket/cat.png');
  expect(links.link('', 'http://x')).toBe('');
});

it('answers 503 when the file store does not answer', async () => {
  const { options, url } = await serve({
    openFile: async () => {
      throw new Refusal('try-again', 'not now');
    },
  });
  const response = await fetch(options.fileLinks.link(KEY, url));
  expect([response.status, await response.text()]).toEqual([503, 'not now\n']);
});

it('closes the connection when the file store fails in the middle of a file', async () => {
  const failing = async function* () {
    yield Buffer.alloc(10);
    throw new Refusal('try-again', 'gone');
  };
  const { options, url } = await serve({
    openFile: async () => ({ size: 100, contentType: 'image/png', fileName: null, read: failing }),
  });
  const whole = async () => (await fetch(options.fileLinks.link(KEY, url))).arrayBuffer();
  await expect(whole()).rejects.toThrow();
});

it('leaves no open files when readers close their connection in the middle of a file', async () => {
  const { link, url } = await withFile(Buffer.alloc(20_000_000), null);
  const before = (await readdir('/proc/self/fd')).length;
  const sockets = Array.from({ length: 20 }, () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('data', () => socket.resetAndDestroy());
    socket.write(`GET ${link.slice(url.length)} HTTP/1.1\r\nhost: x\r\n\r\n`);
    return socket;
  });
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  await vi.waitFor(async () => expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before + 2));
});

it('closes the connection of a reader who stops reading, and reads little more from the store', async () => {
  let given = 0;
  let ended = false;
  const endless = async function* () {
    try {
      for (;;) {
        given += 64 * 1024;
        yield Buffer.alloc(64 * 1024);
      }
    } finally {
      ended = true;
    }
  };
  const { options, url } = await serve(
    { openFile: async () => ({ size: 2 ** 40, contentType: 'video/mp4', fileName: null, read: endless }) },
    { limits: { idleMs: 500 } },
  );
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET ${options.fileLinks.link(KEY, '')} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await vi.waitFor(() => expect(ended).toBe(true), { timeout: 8_000 });
  expect(given).toBeLessThan(32 * 1024 * 1024);
});
