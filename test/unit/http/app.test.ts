import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createHttpApp, type HttpSide } from '../../../src/adapters/http/app.ts';
import { ENDPOINTS } from '../../../src/adapters/http/endpoints.ts';
import { hardenServer, serverOptions } from '../../../src/adapters/http/harden-server.ts';
import { originRule } from '../../../src/adapters/http/origins.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { asUser, json, refused, serve } from './harness.ts';

const demo = {
  issueToken(userId: number) {
    if (userId > 3) throw new Refusal('bad-input', 'there is no such user');
    return `token-${userId}`;
  },
  demoWorld: () => ({ users: [{ id: 1, name: 'Ada', image: null }], rooms: [], communities: [] }),
};

it('serves the routes of the table of endpoints, and no others', async () => {
  const { options } = await serve({}, { demo });
  const app = createHttpApp(options);
  const layers = app.router.stack;
  const routes = layers.flatMap(({ route }) => route?.stack.map(({ method }) => `${method} ${route.path}`) ?? []);
  expect(routes.toSorted()).toEqual(
    Object.values(ENDPOINTS)
      .map(({ method, path }) => `${method} ${path}`)
      .toSorted(),
  );
  // The others are headers, CORS, three answers for unknown paths, and the answer for errors.
  expect(layers.filter(({ route }) => route === undefined)).toHaveLength(6);
});

it('splits the calls between the ports of clients and operators, and both have health and the specifications', async () => {
  const { options } = await serve({}, { demo });
  const pathsOf = (side: HttpSide) =>
    createHttpApp(options, side).router.stack.flatMap(({ route }) => (route === undefined ? [] : [route.path]));
  const [clients, operators] = [pathsOf('public'), pathsOf('internal')];
  const health = ['/chat-server/health/live', '/chat-server/health/ready'];
  const both = [...health, '/openapi.json', '/asyncapi.json'];
  expect(clients.filter((path) => operators.includes(path))).toEqual(both);
  expect(operators.filter((path) => !path.startsWith('/chat-server/service/')).toSorted()).toEqual(
    [...both, '/metrics', '/admin{/*path}'].toSorted(),
  );
  expect(operators).toContain('/chat-server/service/messages');
  expect(clients).toContain('/chat-server/direct');
  expect(new Set([...clients, ...operators])).toEqual(new Set(pathsOf('whole')));
});

it.each(Object.values(ENDPOINTS).filter(({ who }) => who === 'client' || who === 'service'))(
  'refuses $method $path to strangers',
  async ({ method, path, who }) => {
    const { url } = await serve({});
    const headers: Record<string, string> = who === 'service' ? { 'x-forwarded-for': '8.8.8.8' } : {};
    const address = url + path.replace(':id', '5');
    const code = who === 'service' ? 2103 : 2101;
    expect(await json(fetch(address, { method: method.toUpperCase(), headers }))).toEqual(refused(code));
  },
);

it('answers the queries for unread counts and online members', async () => {
  const { url } = await serve({
    unread: async (_caller, { places }) => places.map((place) => ({ place, count: 2, newestTime: 1, seq: 41 })),
    online: async (_caller, { place }) => (place === 'com-1' ? [3, 7] : []),
  });
  const get = (call: string) => json(fetch(`${url}/chat-server/${call}`, { headers: asUser(1) }));
  expect(await get('unread?places=r-5,c-11')).toMatchObject({
    body: {
      result: [
        { place: 'r-5', count: 2, seq: 41 },
        { place: 'c-11', count: 2, seq: 41 },
      ],
    },
  });
  expect(await get('online?place=com-1')).toMatchObject({ body: { result: ['3', '7'] } });
  expect(await get('online?place=r-5')).toMatchObject({ body: { result: [] } });
  for (const call of ['unread', 'unread?places=,', 'unread?places=r-5,x']) {
    expect(await get(call)).toEqual(refused(2100));
  }
  for (const call of ['online', 'online?place=home', 'online?place=com1,c-11', 'online?place=r-5&place=r-6']) {
    expect(await get(call)).toEqual(refused(2100));
  }
});

it('answers an unknown path with 404, in the envelope below /chat-server', async () => {
  const { url } = await serve({});
  const { status, body } = await json(fetch(`${url}/chat-server/nothing`));
  expect([status, body]).toEqual([404, { ...refused(2100).body }]);
  for (const path of ['/', '/index.html', '/demo/token', '/nothing', '/CHAT-SERVER/direct']) {
    expect((await fetch(url + path)).status).toBe(404);
  }
  expect((await fetch(`${url}/demo/token`, { method: 'POST', body: '{"userId":1}' })).status).toBe(404);
  expect((await fetch(`${url}/chat-server/direct`, { method: 'DELETE' })).status).toBe(404);
});

it('refuses a path that is not valid UTF-8', async () => {
  const { url } = await serve({});
  const answer = json(fetch(`${url}/chat-server/room-user-list/%ff`, { method: 'PUT', body: '[1]' }));
  expect(await answer).toEqual(refused(2100));
});

it('issues demo tokens only for demo users and for the own page', async () => {
  const { url } = await serve({}, { demo });
  const ask = (body: string, headers = {}) => json(fetch(`${url}/demo/token`, { method: 'POST', body, headers }));
  expect(await ask('{"userId":1}')).toEqual({ status: 200, body: { token: 'token-1' } });
  expect(await ask('{"userId":"2"}')).toEqual({ status: 200, body: { token: 'token-2' } });
  expect(await ask('{"userId":9}')).toEqual(refused(2100));
  expect(await ask('{}')).toEqual(refused(2100));
  expect(await ask('{"userId":1}', { origin: 'https://evil.example' })).toEqual(refused(2103));
  expect((await fetch(`${url}/.gitkeep`)).status).toBe(404);
  expect((await fetch(`${url}/../app.ts`)).status).toBe(404);
  expect((await fetch(`${url}/..%2fapp.ts`)).status).toBe(404);
});

it('lets pages of allowed origins call and read chat-seq, and no other pages', async () => {
  const history = { entries: [], seq: 3, profiles: new Map() };
  const { url } = await serve({ readHistory: async () => history }, { allowOrigin: originRule('https://web.example') });
  const call = (origin: string, init: RequestInit = {}) =>
    fetch(`${url}/chat-server/direct?ch_id=5`, { ...init, headers: { ...asUser(1), origin, ...init.headers } });
  const allowed = await call('https://web.example');
  expect(Object.fromEntries(allowed.headers)).toMatchObject({
    'access-control-allow-origin': 'https://web.example',
    'access-control-expose-headers': 'chat-seq',
    'chat-seq': '3',
    vary: 'Origin',
  });
  const refusal = await call('https://evil.example');
  expect(refusal.headers.get('access-control-allow-origin')).toBeNull();
  expect(await json(refusal)).toEqual(refused(2103));

  const preflight = (origin: string) =>
    call(origin, {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
    });
  const granted = await preflight('https://web.example');
  expect(granted.status).toBe(204);
  expect(granted.headers.get('access-control-allow-headers')).toContain('authorization');
  expect((await preflight('https://evil.example')).status).toBe(403);
});

it('sends security headers with every answer', async () => {
  const { url } = await serve({}, { demo });
  const api = await fetch(`${url}/chat-server/health/live`);
  expect(Object.fromEntries(api.headers)).toMatchObject({
    'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  expect(api.headers.get('x-powered-by')).toBeNull();
  const page = await fetch(`${url}/`);
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
});

it('shows health and metrics, without ids in the metrics', async () => {
  const health = { ready: false, reasons: ['stopping'], degraded: ['kafka: no heartbeat for 31 s'] };
  const { url, options } = await serve({ unread: async () => [] }, { health: () => health });
  expect((await fetch(`${url}/chat-server/health/live`)).status).toBe(200);
  expect(await json(fetch(`${url}/chat-server/health/ready`))).toEqual({ status: 503, body: health });
  await fetch(`${url}/chat-server/unread?places=r-98765`, { headers: asUser(1) });
  await fetch(`${url}/chat-server/unread`);
  await fetch(`${url}/chat-server/files/a_secret_key?sig=x`);
  expect(await (await fetch(`${url}/metrics`)).text()).toBe('chat_ready 1\n');
  const { requests, refusals } = options.metrics;
  expect(requests.count('get', '/chat-server/unread', '200')).toBe(1);
  expect(requests.count('get', '/chat-server/files/:key', '403')).toBe(1);
  expect(refusals.samples()).toContainEqual({ labels: { route: '/chat-server/unread', code: 'no-token' }, value: 1 });
  expect(JSON.stringify([requests.samples(), refusals.samples()])).not.toMatch(/98765|a_secret_key/);
});

it('closes connections that send nothing or only half a request', async () => {
  const { url } = await serve({});
  const port = Number(new URL(url).port);
  const sockets = ['', 'GET / HTTP/1.1\r\nhost: x\r\n', 'nonsense\r\n\r\n'].map((text) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    if (text !== '') socket.write(text);
    return once(socket, 'close');
  });
  await Promise.all(sockets);
});

it('closes a refused connection that never closes its side', async () => {
  const { url, server } = await serve({});
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.resume();
  socket.write('nonsense\r\n\r\n');
  await once(socket, 'end');
  const open = promisify(server.getConnections.bind(server));
  for (let rounds = 0; (await open()) > 0; rounds += 1) {
    if (rounds > 50) throw new Error('the connection is still open');
    await delay(20);
  }
  socket.destroy();
});

it('closes the connection of a client that does not read its answer', async () => {
  const server = createServer(serverOptions(), (_request, response) => response.end(Buffer.alloc(50_000_000)));
  hardenServer(server, { idleMs: 300 }, () => ({ headers: [], body: '' }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const cut = once(accepted, 'close');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await cut;
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

it('refuses a body that arrives too slowly', async () => {
  const { url } = await serve({}, { limits: { bodyMs: 200 } });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes.toString();
  });
  socket.write('POST /chat-server/message-count HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
  await once(socket, 'close');
  expect(heard).toContain('"code":2100');
});

it('refuses headers over the limit', async () => {
  const { url } = await serve({});
  const response = await fetch(`${url}/chat-server/health/live`, { headers: { x: 'y'.repeat(20_000) } });
  expect(response.status).toBe(431);
});

it('treats prototype keys and operators in a body as unknown fields', async () => {
  const asked: unknown[] = [];
  const { url } = await serve({
    countUnread: async (...input) => {
      asked.push(input);
      return [];
    },
  });
  const body = '{"__proto__":{"userId":2},"constructor":{"prototype":{"x":1}},"userId":1,"roomIds":[]}';
  await fetch(`${url}/chat-server/message-count`, { method: 'POST', body });
  expect(asked).toEqual([[1, []]]);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
  const poisoned = fetch(`${url}/chat-server/message-count`, {
    method: 'POST',
    body: '{"__proto__":{"userId":2,"roomIds":[]}}',
  });
  expect(await json(poisoned)).toEqual(refused(2100));
});
