import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { RawClient, Stream, upgradeRequest } from '../../dev/sockjs-host.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

/** Headers that Java's HttpClient and `curl --http2` send with every plain request. */
const H2C = {
  connection: 'Upgrade, HTTP2-Settings',
  upgrade: 'h2c',
  'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
};
const ORIGINS = 'https://web.example/, capacitor://localhost, ionic://localhost, tauri://localhost/';

let system: EmbeddedSystem;

beforeAll(async () => {
  system = await startSystem({ TRUSTED_PROXIES: '127.0.0.1', ALLOWED_ORIGINS: ORIGINS });
});
afterAll(() => system.stop());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** Sends one request with this target, which may be in the absolute form, and reads the answer. */
function call(target: string, { method = 'GET', headers = {}, body }: Call = {}, url = system.url): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const outgoing = request({ hostname, port, path: target, method, headers, agent: new Agent() }, async (answer) => {
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) text += chunk;
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const authorization = (userId = 1) => ({ authorization: system.token(userId) });

/** The first line of the answer to an upgrade request. */
async function upgrade(target: string, headers: readonly string[] = [], url = system.url): Promise<string> {
  const raw = new RawClient(Number(new URL(url).port), upgradeRequest(target, headers));
  onTestFinished(() => {
    raw.socket.destroy();
  });
  return (await raw.until('\r\n')).toString().split('\r\n', 1)[0] ?? '';
}

function multipart(parts: readonly (readonly [headers: string, content: string | Buffer])[]): Call {
  const chunks = parts.flatMap(([headers, content]) => [
    `--b\r\nContent-Disposition: form-data; ${headers}\r\n\r\n`,
    content,
    '\r\n',
  ]);
  const body = Buffer.concat([...chunks, '--b--\r\n'].map((chunk) => Buffer.from(chunk)));
  return { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body };
}

it.each([
  ['h2c', H2C],
  ['an unknown protocol', { connection: 'upgrade', upgrade: 'TLS/1.0, foo' }],
  ['a WebSocket outside of /my-chat', { connection: 'upgrade', upgrade: 'websocket' }],
])('answers HTTP/1.1 requests that offer an upgrade to %s as if they did not', async (_, offer) => {
  const history = await call('/chat-server/direct?ch_id=5', { headers: { ...offer, ...authorization() } });
  expect([history.status, JSON.parse(history.body)]).toEqual([
    200,
    expect.objectContaining({ code: 1000, result: [] }),
  ]);
  const put = { method: 'PUT', headers: { ...offer, 'content-type': 'application/json' }, body: '[1,2]' };
  expect(JSON.parse((await call('/chat-server/room-user-list/8', put)).body)).toMatchObject({ isSuccess: true });
  const out = JSON.stringify({ type: 'out', communityId: '1', channelId: 'c-11', ids: ['3'] });
  const left = await call('/chat-server/signaling-list-community', { ...put, method: 'POST', body: out });
  expect(JSON.parse(left.body)).toMatchObject({ isSuccess: true });
  expect((await call('/chat-server/health/live', { headers: offer })).status).toBe(200);
  expect((await call('/nothing', { headers: offer })).status).toBe(404);
});

it('serves SockJS over HTTP and the WebSocket page to clients that offer h2c', async () => {
  expect((await call('/my-chat/info', { headers: H2C })).status).toBe(200);
  expect((await call('/my-chat/1/h2c/xhr', { method: 'POST', headers: H2C })).body).toBe('o\n');
  expect((await call('/my-chat/websocket', { headers: H2C })).status).toBe(400);
});

it('takes scheme and host of file links from the hop that the client address comes from', async () => {
  const upload = async (headers: Record<string, string>) => {
    const form = multipart([
      ['name="image"; filename="a.txt"\r\nContent-Type: text/plain', 'text'],
      ['name="channelId"', '5'],
      ['name="fileType"', 'file'],
    ]);
    const all = { ...form.headers, ...authorization(), ...headers };
    const { body } = await call('/chat-server/file', { ...form, headers: all });
    const { result } = JSON.parse(body) as { result: { message: string } };
    return new URL(result.message).origin;
  };
  const classic = { 'x-forwarded-for': '203.0.113.9, 127.0.0.1', 'x-forwarded-host': 'chat.example.com' };
  expect(await upload({ ...classic, 'x-forwarded-proto': 'https, http' })).toBe('https://chat.example.com');
  const forwarded = 'for=203.0.113.9;proto=https;host=chat.example.com, for=127.0.0.1;proto=http;host=inner';
  expect(await upload({ forwarded })).toBe('https://chat.example.com');

  const headers = { ...classic, 'x-forwarded-proto': 'https, http' };
  const one = await StompClient.connect({ url: system.url, token: system.token(1), headers });
  onTestFinished(() => one.cut());
  const room = await one.subscribe('/topic/direct/5');
  await upload({});
  const { message } = await room.next(({ fileType }) => fileType === 'file');
  expect(new URL(String(message)).origin).toBe('https://chat.example.com');
});

it('serves handshakes and calls with 9 KB of cookies', async () => {
  const cookie = `a=${'x'.repeat(9_000)}`;
  expect((await call('/my-chat/info', { headers: { cookie } })).status).toBe(200);
  expect((await call('/chat-server/unread?places=r-5', { headers: { cookie, ...authorization() } })).status).toBe(200);
  expect(await upgrade('/my-chat/websocket', [`Cookie: ${cookie}`])).toBe('HTTP/1.1 101 Switching Protocols');
});

it('answers 431 with CORS headers and a log line to more than 16 KB of headers', async () => {
  const cookie = 'x'.repeat(17_000);
  for (const target of ['/my-chat/info', '/chat-server/unread?places=r-5']) {
    const answer = await call(target, { headers: { origin: 'https://web.example', cookie } });
    expect([answer.status, answer.headers, JSON.parse(answer.body)]).toEqual([
      431,
      expect.objectContaining({
        'access-control-allow-origin': 'https://web.example',
        'access-control-allow-credentials': 'true',
      }),
      expect.objectContaining({ isSuccess: false, code: 2413 }),
    ]);
  }
  expect(await upgrade('/my-chat/websocket', [`Cookie: ${cookie}`])).toMatch(/^HTTP\/1.1 431 /);
  const foreign = await call('/my-chat/info', { headers: { origin: 'https://evil.example', cookie } });
  expect([foreign.status, foreign.headers['access-control-allow-origin']]).toEqual([431, undefined]);
  const log = await system.server.log();
  expect(log).toContain('the headers of a request are too large');
  expect(log).not.toContain('xxxx');
});

it.each([66_000, 90_000, 500_000])('answers 431 to %i bytes of headers, and the client can read it', async (size) => {
  const cookie = 'x'.repeat(size);
  for (const target of ['/my-chat/info', '/chat-server/unread?places=r-5']) {
    const answer = await call(target, { headers: { origin: 'https://web.example', cookie } });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([431, expect.objectContaining({ code: 2413 })]);
    expect(['*', 'https://web.example']).toContain(answer.headers['access-control-allow-origin']);
  }
  expect(await upgrade('/my-chat/websocket', [`Cookie: ${cookie}`])).toMatch(/^HTTP\/1.1 431 /);
});

it('allows an allowed origin all headers that its preflight asks for', async () => {
  const preflight = (origin: string) =>
    call('/chat-server/direct?ch_id=5', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization,baggage,sentry-trace',
      },
    });
  const granted = await preflight('https://web.example');
  expect([granted.status, granted.headers['access-control-allow-headers']]).toEqual([
    204,
    'authorization,baggage,sentry-trace',
  ]);
  const refused = await preflight('https://evil.example');
  expect([refused.status, refused.headers['access-control-allow-headers']]).toEqual([403, undefined]);
});

/** Asks with the three ways in: a WebSocket, SockJS over HTTP, and an HTTP call. */
async function statusesFor(origin: string, host: string, url = system.url): Promise<string> {
  const headers = { origin, host };
  // The WebSocket request has a Host header of its own.
  const handshake = upgradeRequest('/my-chat/websocket', [`Origin: ${origin}`]).replace('localhost', host);
  const raw = new RawClient(Number(new URL(url).port), handshake);
  const [, socket] = (await raw.until('\r\n')).toString().split(' ', 2);
  raw.socket.destroy();
  const sockJs = await call('/my-chat/info', { headers }, url);
  const history = await call('/chat-server/direct?ch_id=5', { headers: { ...headers, ...authorization() } }, url);
  return [socket, sockJs.status, history.status].join(' ');
}

it.each(['https://web.example', 'capacitor://localhost', 'ionic://localhost', 'tauri://localhost'])(
  'serves pages of the origin %s, which ALLOWED_ORIGINS lists',
  async (origin) => {
    expect(await statusesFor(origin, 'chat.example')).toBe('101 200 200');
  },
);

it.each(['http', 'https', 'ws', 'wss'])(
  'serves %s pages of its own host besides those of ALLOWED_ORIGINS',
  async (scheme) => {
    expect(await statusesFor(`${scheme}://chat.example`, 'chat.example')).toBe('101 200 200');
    const { host } = new URL(system.url);
    expect(await statusesFor(`${scheme}://${host}`, host)).toBe('101 200 200');
    expect(await statusesFor(`${scheme}://evil.example`, 'chat.example')).toBe('403 403 400');
  },
);

it('serves pages of the host of PUBLIC_URL, whatever host the request names', async () => {
  const behind = await startSystem({
    PUBLIC_URL: 'https://chat.example/base',
    ALLOWED_ORIGINS: 'https://web.example',
    JWT_SECRET: system.secret,
  });
  onTestFinished(() => behind.stop());
  for (const scheme of ['http', 'https', 'ws', 'wss']) {
    expect(await statusesFor(`${scheme}://chat.example`, 'inner:8080', behind.url)).toBe('101 200 200');
  }
  expect(await statusesFor('https://evil.example', 'inner:8080', behind.url)).toBe('403 403 400');
});

it('takes request targets in the absolute form as those in the origin form', async () => {
  expect((await call('http://chat.example/my-chat/info')).status).toBe(200);
  expect((await call('HTTPS://chat.example/my-chat/info?t=1')).status).toBe(200);
  const history = await call('http://chat.example:80/chat-server/direct?ch_id=5', { headers: authorization() });
  expect(history.status).toBe(200);
  expect((await call('http://chat.example')).status).toBe(404);
  for (const scheme of ['http', 'ws', 'wss']) {
    expect(await upgrade(`${scheme}://chat.example/my-chat/websocket`)).toBe('HTTP/1.1 101 Switching Protocols');
  }
  // RFC 9112, 3.2.2: the host of the target replaces that of the Host header.
  const own = ['Origin: https://chat.example'];
  expect(await upgrade('http://chat.example/my-chat/websocket', own)).toBe('HTTP/1.1 101 Switching Protocols');
});

it('reads multipart text parts with a Content-Type and without a file name as fields', async () => {
  const typed = (name: string) => `name="${name}"\r\nContent-Type: application/octet-stream`;
  const form = multipart([
    ['name="image"; filename="a.txt"\r\nContent-Type: text/plain', 'text'],
    [typed('userId'), '1'],
    [typed('name'), 'Ada'],
    [typed('profileImage'), ''],
    [typed('channelId'), '5'],
    [typed('type'), 'direct'],
    [typed('fileType'), 'file'],
  ]);
  const answer = await call('/chat-server/file', { ...form, headers: { ...form.headers, ...authorization() } });
  expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining({ code: 1000 })]);
});

it.each([
  ['xhr_streaming', 'POST'],
  ['eventsource', 'GET'],
  ['htmlfile?c=cb', 'GET'],
])('tells proxies not to buffer the SockJS stream %s', async (transport, method) => {
  const stream = await Stream.open(`${system.url}/my-chat/1/${transport.slice(0, 4)}/${transport}`, { method });
  onTestFinished(() => stream.abort());
  expect([stream.status, stream.headers['x-accel-buffering']]).toEqual([200, 'no']);
});
