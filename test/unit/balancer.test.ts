import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Balancer, byAffinity, startBalancer } from '../../dev/cluster/balancer.ts';

interface Answer {
  readonly by: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Starts a server that answers with its port and the request that reached it. */
async function startTarget(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { port } = server.address() as AddressInfo;
    response.end(JSON.stringify({ by: port, headers: request.headers, body: Buffer.concat(chunks).toString() }));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`back: ${String(data)}`)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('the load balancer of the native cluster', () => {
  let targets: Server[];
  let ports: number[];
  let balancer: Balancer;

  beforeEach(async () => {
    targets = await Promise.all([startTarget(), startTarget(), startTarget()]);
    ports = targets.map((target) => (target.address() as AddressInfo).port);
    balancer = await startBalancer(ports, 0);
  });
  afterEach(async () => {
    await balancer.stop();
    for (const target of targets) target.close().closeAllConnections();
  });

  const get = async (path: string, init?: RequestInit): Promise<Answer> =>
    (await fetch(balancer.url + path, init)).json() as Promise<Answer>;

  it('keeps a SockJS session on one server, and distributes sessions and other requests', async () => {
    const servers = new Set<number>();
    for (let session = 0; session < 40; session += 1) {
      const calls = ['xhr_streaming', 'xhr_send', 'xhr', 'websocket'];
      const answers = await Promise.all(calls.map((call) => get(`/my-chat/000/session${session}/${call}`)));
      expect(new Set(answers.map(({ by }) => by)).size).toBe(1);
      for (const { by } of answers) servers.add(by);
    }
    expect(servers.size).toBe(3);
    const others = [await get('/my-chat/info'), await get('/my-chat/info'), await get('/chat-server/health/live')];
    expect(new Set(others.map(({ by }) => by)).size).toBe(3);
  });

  it('moves only the sessions of a server that is gone, and no request fails', async () => {
    const sessions = Array.from({ length: 30 }, (_, index) => `s${index}`);
    const served = () => Promise.all(sessions.map(async (session) => (await get(`/my-chat/1/${session}/xhr`)).by));
    const before = await served();
    targets[0]?.close().closeAllConnections();
    const after = await served();
    for (const [index, by] of before.entries()) {
      if (by === ports[0]) expect(after[index]).not.toBe(by);
      else expect(after[index]).toBe(by);
    }
    for (let call = 0; call < 6; call += 1) expect((await get('/any')).by).not.toBe(ports[0]);
  });

  it('replaces the forwarding headers of a client, and passes bodies on', async () => {
    const claims = {
      'x-forwarded-for': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
      'x-forwarded-host': 'evil.example',
    };
    const { headers, body } = await get('/any', { method: 'POST', body: 'x'.repeat(300_000), headers: claims });
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': `127.0.0.1:${balancer.port}`,
    });
    expect(headers.forwarded).toBeUndefined();
    expect(body).toHaveLength(300_000);
  });

  it('passes a request on without its offer of h2c', async () => {
    const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
    const answer = await new Promise<IncomingMessage>((resolve) => {
      request(`${balancer.url}/any`, { method: 'POST', headers: offer }, resolve).end('hello');
    });
    const { headers, body } = (await json(answer)) as Answer;
    expect([headers.upgrade, headers['http2-settings'], body]).toEqual([undefined, undefined, 'hello']);
  });

  it('passes WebSockets on, and closes them when it stops', async () => {
    const socket = new WebSocket(`${balancer.url.replace('http', 'ws')}/my-chat/websocket`);
    await once(socket, 'open');
    socket.send('hello');
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe('back: hello');
    const closed = once(socket, 'close');
    await balancer.stop();
    await closed;
  });

  it('answers 502 when no server is running', async () => {
    for (const target of targets) target.close().closeAllConnections();
    expect((await fetch(`${balancer.url}/any`)).status).toBe(502);
  });
});

it('orders the servers for each session differently, and evenly over all sessions', () => {
  const firsts = new Map<number, number>();
  for (let session = 0; session < 3_000; session += 1) {
    const order = byAffinity([1, 2, 3], `session-${session}`);
    expect([...order].sort()).toEqual([1, 2, 3]);
    firsts.set(order[0] ?? 0, (firsts.get(order[0] ?? 0) ?? 0) + 1);
  }
  for (const count of firsts.values()) expect(count).toBeGreaterThan(800);
});
