import { afterAll, beforeAll, expect, it } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { RawConnection } from './golden/raw-connection.ts';
import { type RecordedSystem, startRecordedSystem } from './recorded-system.ts';

const CONNECTED = 'CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0';
const ORIGIN = 'http://x.example';

let system: RecordedSystem;
beforeAll(async () => {
  system = await startRecordedSystem({ ALLOWED_ORIGINS: ORIGIN });
});
afterAll(() => system.stop());

function connect(): string {
  const headers = `accept-version:1.0,1.1,1.2\nheart-beat:10000,10000\naccess-token:${system.token(1)}\nuser-id:1`;
  return `CONNECT\n${headers}\n\n\0`;
}

async function call(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const init: RequestInit = body === undefined ? { method, headers } : { method, headers, body };
  const response = await fetch(`${system.url}/my-chat${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

it('answers the base path with the SockJS greeting', async () => {
  const { status, headers, text } = await call('GET', '');
  expect([status, headers.get('content-type')?.toLowerCase().replace(' ', ''), text]).toEqual([
    200,
    'text/plain;charset=utf-8',
    'Welcome to SockJS!\n',
  ]);
});

it.each([null, ORIGIN])('answers info to a page of the origin %s', async (origin) => {
  const { status, headers, text } = await call('GET', '/info?t=1', origin === null ? {} : { origin });
  expect(status).toBe(200);
  expect(headers.get('content-type')?.toLowerCase().replace(' ', '')).toBe('application/json;charset=utf-8');
  expect(headers.get('cache-control')).toContain('no-store');
  expect(JSON.parse(text)).toEqual({
    entropy: expect.any(Number),
    origins: ['*:*'],
    cookie_needed: expect.any(Boolean),
    websocket: true,
  });
  if (origin === null) return;
  expect(headers.get('access-control-allow-origin')).toBe(origin);
  expect(headers.get('access-control-allow-credentials')).toBe('true');
});

it('refuses info to pages of other origins', async () => {
  expect((await call('GET', '/info', { origin: 'http://evil.example' })).status).toBe(403);
});

it('answers the preflight request of info', async () => {
  const { status, headers } = await call('OPTIONS', '/info', {
    origin: ORIGIN,
    'access-control-request-method': 'GET',
  });
  expect([200, 204]).toContain(status);
  expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(headers.get('access-control-allow-methods')).toContain('GET');
  expect(headers.get('access-control-max-age')).toBe('31536000');
});

it('serves a STOMP session over xhr, byte for byte', async () => {
  const session = '/000/sess1';
  const open = await call('POST', `${session}/xhr`);
  expect(open).toMatchObject({ status: 200, text: 'o\n' });
  expect(open.headers.get('content-type')?.toLowerCase().replace(' ', '')).toBe('application/javascript;charset=utf-8');
  const sent = await call('POST', `${session}/xhr_send`, { 'content-type': 'text/plain' }, JSON.stringify([connect()]));
  expect(sent).toMatchObject({ status: 204, text: '' });
  expect(await call('POST', `${session}/xhr`)).toMatchObject({
    status: 200,
    text: 'a["CONNECTED\\nversion:1.2\\nheart-beat:10000,10000\\n\\n\\u0000"]\n',
  });
});

it('serves a STOMP session over a SockJS WebSocket, byte for byte', async () => {
  const socket = await RawConnection.open(system.url, '/my-chat/000/sess2/websocket', []);
  expect(await socket.texts(1)).toEqual(['o']);
  socket.send(JSON.stringify([connect()]));
  const [, answer = ''] = await socket.texts(2);
  expect(answer).toBe(`a${JSON.stringify([CONNECTED])}`);
  socket.close();
  expect(await socket.closed).toBe(1000);
});

it.each(['/my-chat', '/my-chat/websocket'])('serves a STOMP session over a raw WebSocket at %s', async (path) => {
  const { url, token } = system;
  const client = await StompClient.connect({ url, path, token: token(1), userId: 1 });
  expect(client.frames).toHaveLength(1);
  await client.close();
});

it('sent only frames and answers that fit the specifications', () => {
  expect(system.traffic.all()).toEqual([]);
  expect(system.traffic.seen.size).toBeGreaterThan(3);
});
