import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import type { AppendOutcome } from '../../../src/application/ports/message-store.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import type { ConversationKey } from '../../../src/domain/place.ts';
import type { SequencedEvent } from '../../../src/domain/stored-event.ts';
import { temporaryFiles } from '../../support/embedded-application.ts';
import { asUser, json, type Running, refused, serve, uploadsTo } from './harness.ts';

const LIMIT = 1_000_000;
const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');

interface UploadServer extends Running {
  events(place: ConversationKey): Promise<SequencedEvent[]>;
  kept(): Promise<string[]>;
}

async function start(
  settings: { readonly idleMs?: number; readonly append?: () => Promise<AppendOutcome[]> } = {},
): Promise<UploadServer> {
  const { idleMs = 60_000, append } = settings;
  const files = await temporaryFiles();
  const { calls, store } = await uploadsTo(files.store, LIMIT, append);
  const running = await serve(calls, { limits: { uploadBytes: LIMIT, uploadsAtOnce: 2, idleMs } });
  return { ...running, events: (place) => store.eventsAfter(place, 0, 100), kept: files.kept };
}

type Part = readonly [name: string, value: string | Uint8Array<ArrayBuffer>, fileName?: string];

const FIELDS: readonly Part[] = [
  ['userId', '1'],
  ['name', 'user1'],
  ['profileImage', 'http://img/1.png'],
  ['channelId', '5'],
  ['type', 'direct'],
  ['fileType', 'image'],
];
const IMAGE: Part = ['image', new Uint8Array(PNG), 'cat.png'];
const THUMBNAIL: Part = ['thumbnail', new Uint8Array(PNG), 't.png'];

function form(parts: readonly Part[]): FormData {
  const data = new FormData();
  for (const [name, value, fileName] of parts) {
    if (fileName === undefined) data.append(name, value as string);
    else data.append(name, new Blob([value]), fileName);
  }
  return data;
}

const post = (server: Running, parts: readonly Part[], call = 'file') =>
  fetch(`${server.url}/chat-server/${call}`, { method: 'POST', body: form(parts), headers: asUser(1) });

const without = (name: string): Part[] => FIELDS.filter(([field]) => field !== name);

it.each<[string, Part[]]>([
  ['the file last', [...FIELDS, THUMBNAIL, IMAGE]],
  ['the file first', [IMAGE, THUMBNAIL, ...FIELDS]],
  ['unknown parts and fields as well', [['x', 'y'], ...FIELDS, ['other', new Uint8Array(10), 'o'], IMAGE, THUMBNAIL]],
])('stores a picture with a thumbnail, with %s', async (_order, parts) => {
  const server = await start();
  const { status, body } = await json(post(server, [...parts, ['nonce', 'n1']]));
  expect(status).toBe(200);
  expect(body).toEqual({
    isSuccess: true,
    code: 1000,
    message: '요청에 성공하였습니다.',
    result: {
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      seq: 1,
      message: expect.stringContaining(`${server.url}/chat-server/files/`),
    },
  });
  expect(await server.events('r-5')).toMatchObject([
    {
      place: 'r-5',
      communityId: null,
      fileType: 'image',
      name: 'user1',
      profileImage: 'http://img/1.png',
      nonce: 'n1',
      content: expect.any(String),
      thumbnail: expect.any(String),
    },
  ]);
  const { message } = (body as { result: { message: string } }).result;
  const shown = await fetch(message);
  expect(shown.headers.get('content-type')).toBe('image/png');
  expect(Buffer.from(await shown.arrayBuffer())).toEqual(PNG);
});

it.each<[string, Part[]]>([
  ['the file first', [IMAGE, ...FIELDS]],
  ['the type first', [['type', 'direct'], ...without('type'), IMAGE]],
])(
  'takes the upload to a room that the phone client sends to the call for channels, with %s',
  async (_order, parts) => {
    const server = await start();
    const { status, body } = await json(post(server, parts, 'channel/file'));
    expect(status).toBe(200);
    expect(body).toMatchObject({ isSuccess: true, result: { seq: 1 } });
    expect(await server.events('r-5')).toMatchObject([{ place: 'r-5', communityId: null, fileType: 'image' }]);
  },
);

it.each<[string, readonly Part[]]>([
  ['without a place', [IMAGE, ...without('channelId')]],
  ['that also names a community', [IMAGE, ...FIELDS, ['communityId', '1']]],
  ['that names a community first', [['communityId', '1'], ...FIELDS, IMAGE]],
  ['with another type', [IMAGE, ...without('type'), ['type', 'room']]],
  ['without a type and without a community', [IMAGE, ...without('type')]],
])('refuses an upload to a room by the call for channels %s', async (_what, parts) => {
  const server = await start();
  expect(await json(post(server, parts, 'channel/file'))).toEqual(refused(2100));
  expect([await server.events('r-5'), await server.events('c-5'), await server.kept()]).toEqual([[], [], []]);
});

it('refuses an upload to a room of others by the call for channels', async () => {
  const server = await start();
  const parts: Part[] = [IMAGE, ...without('channelId'), ['channelId', '6']];
  expect(await json(post(server, parts, 'channel/file'))).toEqual(refused(2103));
  expect(await server.kept()).toEqual([]);
});

it('reads the text "undefined" in the field thumbnail, which the web client sends, as none', async () => {
  const server = await start();
  const { status } = await json(post(server, [IMAGE, ['thumbnail', 'undefined'], ...FIELDS]));
  expect(status).toBe(200);
  expect(await server.events('r-5')).toMatchObject([{ fileType: 'image', thumbnail: null }]);
});

it.each<[string, Part[], object]>([
  [
    'their dimensions',
    [
      ['width', '640'],
      ['height', '480'],
    ],
    { width: 640, height: 480 },
  ],
  ['one dimension', [['height', '480']], { width: null, height: 480 }],
  [
    'texts for values that a client does not have',
    [
      ['width', 'undefined'],
      ['height', ''],
    ],
    { width: null, height: null },
  ],
  ['no dimensions', [], { width: null, height: null }],
])('stores the name, the size and %s of an image', async (_what, more, expected) => {
  const server = await start();
  const { status } = await json(post(server, [...FIELDS, ...more, IMAGE, THUMBNAIL]));
  expect(status).toBe(200);
  const facts = { fileName: 'cat.png', fileSize: PNG.length, ...expected };
  expect(await server.events('r-5')).toMatchObject([facts]);
});

it('stores a video in a channel, without the thumbnail whose file input is empty', async () => {
  const server = await start();
  const fields: Part[] = [...without('type'), ['type', 'community'], ['communityId', '1']];
  const boundary = 'xx';
  const lines = fields.map(
    ([name, value]) => `--xx\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const body = `${lines.join('')}--xx\r\ncontent-disposition: form-data; name="thumbnail"; filename=""\r\ncontent-type: application/octet-stream\r\n\r\n\r\n--xx\r\ncontent-disposition: form-data; name="image"; filename="v.mp4"\r\n\r\nfilm\r\n--xx--\r\n`;
  const headers = { ...asUser(1), 'content-type': `multipart/form-data; boundary=${boundary}` };
  const response = await fetch(`${server.url}/chat-server/channel/file`, { method: 'POST', body, headers });
  expect(response.status).toBe(200);
  expect(await server.events('c-5')).toMatchObject([{ place: 'c-5', communityId: 1, thumbnail: null }]);
  expect(await server.kept()).toHaveLength(2);
});

it.each<[string, readonly Part[], number]>([
  ['without the file', FIELDS, 2100],
  ['without a place', [...without('channelId'), IMAGE], 2100],
  ['without fileType', [IMAGE, ...without('fileType')], 2100],
  ['with another fileType', [IMAGE, ...without('fileType'), ['fileType', 'reply']], 2100],
  ['with the type of a channel', [IMAGE, ...without('type'), ['type', 'community']], 2100],
  ['with the id of another user', [IMAGE, ...without('userId'), ['userId', '2']], 2103],
  ['with an id that is not valid', [IMAGE, ...without('userId'), ['userId', '1e0']], 2100],
  ['with two places', [...FIELDS, ['channelId', '6'], IMAGE], 2100],
  ['with two files', [...FIELDS, IMAGE, IMAGE], 2100],
  ['with many files', [...FIELDS, ...Array<Part>(9).fill(['x', new Uint8Array(1), 'x']), IMAGE], 2100],
  ['with many fields', [IMAGE, ...FIELDS, ...Array<Part>(40).fill(['x', 'y'])], 2100],
  ['with a long field', [IMAGE, ...FIELDS, ['x', 'y'.repeat(20_000)]], 2100],
  ['with a long nonce', [IMAGE, ...FIELDS, ['nonce', 'n'.repeat(65)]], 2100],
  ['with an empty nonce', [IMAGE, ...FIELDS, ['nonce', '']], 2100],
  ['with a width of 0', [IMAGE, ...FIELDS, ['width', '0']], 2100],
  ['with a height that is not an integer', [IMAGE, ...FIELDS, ['height', '1e3']], 2100],
  ['that is too large', [['image', new Uint8Array(LIMIT + 1), 'x'], ...FIELDS], 2413],
  ['whose thumbnail is too large', [IMAGE, ['thumbnail', new Uint8Array(LIMIT + 1), 'x'], ...FIELDS], 2413],
  ['that is far too large', [IMAGE, ['thumbnail', new Uint8Array(4 * LIMIT), 'x'], ...FIELDS], 2413],
])('refuses an upload %s and keeps nothing of it', async (_what, parts, code) => {
  const server = await start();
  expect(await json(post(server, parts))).toEqual(refused(code));
  expect(await server.events('r-5')).toEqual([]);
  expect(await server.kept()).toEqual([]);
});

it('accepts a file of exactly the limit', async () => {
  const server = await start();
  expect((await post(server, [...FIELDS, ['image', new Uint8Array(LIMIT), 'x']])).status).toBe(200);
});

it('refuses an upload to a room of which the user is not a member', async () => {
  const server = await start();
  const parts: Part[] = [...without('channelId'), ['channelId', '6'], ['image', new Uint8Array(900_000), 'x']];
  expect(await json(post(server, parts))).toEqual(refused(2103));
  expect(await server.kept()).toEqual([]);
});

it('removes the stored parts of an upload whose event is refused for certain', async () => {
  const error = new Refusal('bad-input', 'the nonce is of another place');
  const server = await start({ append: async () => [{ kind: 'failed', error }] });
  expect(await json(post(server, [...FIELDS, THUMBNAIL, IMAGE]))).toEqual(refused(2100));
  expect(await server.kept()).toEqual([]);
});

it('keeps the file of an upload whose event may be stored in spite of the refusal', async () => {
  const error = new Refusal('try-again', 'the database does not answer');
  const server = await start({ append: async () => [{ kind: 'failed', error }] });
  expect(await json(post(server, [...FIELDS, IMAGE]))).toEqual(refused(2503));
  expect(await server.kept()).toHaveLength(2);
});

it('refuses an upload without a token', async () => {
  const server = await start();
  const response = await fetch(`${server.url}/chat-server/file`, { method: 'POST', body: form([...FIELDS, IMAGE]) });
  expect(await json(response)).toEqual(refused(2101));
});

const START = '--b\r\ncontent-disposition: form-data; name="image"; filename="x"\r\n\r\n';

function raw(server: Running, headers: readonly string[]): Socket {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    ['POST /chat-server/file HTTP/1.1', 'host: x', 'authorization: token-1', ...headers, '', ''].join('\r\n'),
  );
  return socket;
}

it.each([
  ['text/plain', 'hello'],
  ['multipart/form-data', 'hello'],
  ['multipart/form-data; boundary=b', ''],
  ['multipart/form-data; boundary=b', 'hello'],
  ['multipart/form-data; boundary=b', `${START}half of it`],
  ['multipart/form-data; boundary=b', `${START}half of it\r\n--b`],
  ['multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data\r\n\r\nx\r\n--b--\r\n'],
  ['multipart/form-data; boundary=b', `--b\r\n${'x: y\r\n'.repeat(5_000)}\r\n\r\n--b--\r\n`],
  ['multipart/form-data; boundary=b', `--b--x\r\n--b\r\nx\r\n${START}half of it`],
])('refuses a body that is not a complete form: %s %j', async (type, body) => {
  const server = await start();
  const headers = { ...asUser(1), 'content-type': type };
  const response = await fetch(`${server.url}/chat-server/file`, { method: 'POST', body, headers });
  expect(await json(response)).toEqual(refused(2100));
  expect(await server.kept()).toEqual([]);
});

it('keeps no file, no open file and no slot of clients that disconnect in the middle of an upload', async () => {
  const server = await start();
  const before = await descriptors();
  for (let round = 0; round < 10; round++) {
    const sockets = [1, 2].map(() => {
      const socket = raw(server, ['content-type: multipart/form-data; boundary=b', 'content-length: 900000']);
      socket.write(START);
      socket.write(Buffer.alloc(200_000));
      return socket;
    });
    await vi.waitFor(async () => expect(await server.kept()).toHaveLength(2));
    for (const socket of sockets) socket.resetAndDestroy();
    await vi.waitFor(async () => expect(await server.kept()).toEqual([]));
  }
  await vi.waitFor(async () => expect(await descriptors()).toBeLessThanOrEqual(before + 2));
  expect((await post(server, [...FIELDS, IMAGE])).status).toBe(200);
});

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

it('refuses too many uploads of one user at the same time, and not those of another user', async () => {
  const server = await start();
  const sockets = [1, 2].map(() => {
    const socket = raw(server, ['content-type: multipart/form-data; boundary=b', 'content-length: 900000']);
    socket.write(START);
    socket.write(Buffer.alloc(100_000));
    return socket;
  });
  await vi.waitFor(async () => expect(await server.kept()).toHaveLength(2));
  const answer = await post(server, [...FIELDS, IMAGE]);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await json(Promise.resolve(answer))).toEqual({
    status: 400,
    body: { isSuccess: false, code: 2429, message: expect.any(String), 'retry-after-ms': 1_000 },
  });
  const parts = form([...without('userId'), IMAGE]);
  const other = await fetch(`${server.url}/chat-server/file`, { method: 'POST', body: parts, headers: asUser(2) });
  expect(other.status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

it('answers a client that is still sending, and then closes the connection', async () => {
  const server = await start();
  const socket = raw(server, ['content-type: multipart/form-data; boundary=b', 'transfer-encoding: chunked']);
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes.toString();
  });
  const closed = once(socket, 'close');
  socket.write(`${START.length.toString(16)}\r\n${START}\r\n`);
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')]);
  for (let sent = 0; sent < 100 && socket.writable; sent++) {
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), closed]);
  }
  await closed;
  expect(heard).toMatch(/^HTTP\/1\.1 400 /);
  expect(heard.toLowerCase()).toContain('connection: close');
  expect(heard).toContain('"code":2413');
  expect(await server.kept()).toEqual([]);
});

it('closes the connection of an upload that makes no progress', async () => {
  const server = await start({ idleMs: 200 });
  const socket = raw(server, ['content-type: multipart/form-data; boundary=b', 'content-length: 900000']);
  socket.write(START);
  await once(socket, 'close');
  await vi.waitFor(async () => expect(await server.kept()).toEqual([]));
});

it('keeps a file name in another script', async () => {
  const server = await start();
  const sent = await json(post(server, [...FIELDS, ['image', new Uint8Array(1), 'a b한.txt']]));
  const { message } = (sent.body as { result: { message: string } }).result;
  const shown = await fetch(message);
  expect(shown.headers.get('content-disposition')).toContain(encodeURIComponent('a b한.txt'));
});

/** Posts a form whose parts are bytes, each with the headers that are given. */
async function postRaw(server: Running, parts: readonly (readonly [headers: string, value: Buffer])[]) {
  const body = parts.flatMap(([headers, value]) => [
    Buffer.from(`--xx\r\ncontent-disposition: form-data; ${headers}\r\n\r\n`),
    value,
    Buffer.from('\r\n'),
  ]);
  const headers = { ...asUser(1), 'content-type': 'multipart/form-data; boundary=xx' };
  const whole = new Uint8Array(Buffer.concat([...body, Buffer.from('--xx--\r\n')]));
  return json(fetch(`${server.url}/chat-server/file`, { method: 'POST', body: whole, headers }));
}

const RAW_IMAGE = ['name="image"; filename="x.png"', PNG] as const;
const rawFields = (...without: string[]) =>
  FIELDS.filter(([name]) => !without.includes(name)).map(
    ([name, value]) => [`name="${name}"`, Buffer.from(String(value))] as const,
  );

it('repairs text fields that are not well-formed in their charset', async () => {
  const server = await start();
  const name = Buffer.from('A\ud800', 'utf16le');
  const utf16 = 'name="name"\r\ncontent-type: text/plain; charset=utf-16le';
  const picture = ['name="profileImage"', Buffer.from('p\xff', 'latin1')] as const;
  const { status } = await postRaw(server, [...rawFields('name', 'profileImage'), [utf16, name], picture, RAW_IMAGE]);
  expect(status).toBe(200);
  expect(await server.events('r-5')).toMatchObject([{ name: 'A\ufffd', profileImage: 'p\ufffd' }]);
});

it('refuses a nonce whose bytes are not UTF-8, since another such nonce would look the same', async () => {
  const server = await start();
  for (const nonce of [Buffer.from('a\xff', 'latin1'), Buffer.from('eda080', 'hex')]) {
    expect(await postRaw(server, [...rawFields(), ['name="nonce"', nonce], RAW_IMAGE])).toEqual(refused(2100));
  }
  expect(await server.kept()).toEqual([]);
});

it('accepts the address of a picture with 4,096 characters of any script, and no longer one', async () => {
  const server = await start();
  const upload = (picture: string) => post(server, [...without('profileImage'), ['profileImage', picture], IMAGE]);
  expect(await json(upload('한'.repeat(4_096)))).toMatchObject({ status: 200 });
  expect(await json(upload('한'.repeat(4_097)))).toEqual(refused(2413));
});
