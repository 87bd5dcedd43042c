import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FaultMode, FaultProxy } from '../../dev/fault-proxy.ts';
import { TcpSessionReporter, type TcpSessionReporterOptions } from '../../src/adapters/tcp/session-reporter.ts';
import { Refusal } from '../../src/domain/errors.ts';

/** A presence service that records its requests and knows nothing. */
interface Peer {
  readonly port: number;
  readonly requests: string[];
  /** The session ids, or otherwise user ids, of the requests of one type. */
  of(type: string): string[];
  /** Open connections. */
  readonly sockets: Set<Socket>;
  /** False: requests are recorded and not answered. */
  answers: boolean;
}

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const REPLIES: Record<string, string> = {
  login: 'ok',
  logout: '3,home',
  state: 'home,r-5',
  direct: '[3]',
  community: '[]',
  'before-enter': '{}',
  enter: '{"11":["3"]}',
};

async function startPeer(): Promise<Peer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const of = (type: string) =>
    requests
      .map((line): Record<string, string> => JSON.parse(line))
      .filter((request) => request.type === type)
      .map(({ session_id, user_id }) => session_id ?? user_id ?? '');
  const server = createServer((socket) => {
    sockets.add(socket);
    let open = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      open += chunk;
      const lines = open.split('\r\n');
      open = lines.pop() ?? '';
      for (const line of lines) {
        requests.push(line);
        const { type }: { type: string } = JSON.parse(line);
        if (peer.answers) socket.write(`${REPLIES[type]}\r\n`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const peer: Peer = { port, requests, of, sockets, answers: true };
  return peer;
}

async function start(options: Partial<TcpSessionReporterOptions> & { readonly mode?: FaultMode } = {}) {
  const { mode = 'pass', ...rest } = options;
  const peer = await startPeer();
  const proxy = await FaultProxy.start({ target: peer.port, mode });
  stops.push(() => proxy.stop());
  const reporter = new TcpSessionReporter({
    host: '127.0.0.1',
    port: proxy.port,
    connections: 2,
    retryMs: 20,
    maxRetryMs: 100,
    ...rest,
  });
  stops.push(() => reporter.close());
  return { peer, proxy, reporter };
}

async function refusedWithin(ms: number, call: () => Promise<unknown>): Promise<void> {
  const before = performance.now();
  const error: unknown = await call().then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Refusal);
  expect(error).toMatchObject({ code: 'try-again' });
  expect(performance.now() - before).toBeLessThan(ms);
}

const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5_000, interval: 10 });
const MODES = ['refuse', 'hang', 'reset', 'garbage', 'flood'] as const;

describe.each(MODES)('while the presence service does this: %s', (mode) => {
  it('refuses every call within its limit, and answers when presence is back', async () => {
    const { proxy, reporter, peer } = await start({ mode });
    const asks = [
      () => reporter.notLooking('r-5', [3]),
      () => reporter.moved(3, { kind: 'home' }),
      () => reporter.voice(3, 1),
      () => reporter.enterVoice(3, 1, 11),
      () => reporter.leaveVoice(3, 1, 11),
      () => reporter.logout('s9'),
    ];
    for (let round = 0; round < 3; round += 1) await Promise.all(asks.map((ask) => refusedWithin(800, ask)));
    await proxy.setMode('pass');
    await eventually(async () => expect(await reporter.notLooking('r-5', [3])).toEqual([3]));
    await eventually(() => expect(peer.of('logout')).toContain('s9'));
  });

  it('reports the logins, logouts and moves of an outage when presence is back', async () => {
    const { proxy, reporter, peer } = await start();
    await reporter.login('before', 3);
    await reporter.login('ends', 4);
    await proxy.setMode(mode);
    const missed = [
      reporter.login('meanwhile', 3),
      reporter.logout('ends'),
      reporter.moved(3, { kind: 'conversation', key: 'r-5' }),
      reporter.login('short', 5),
      reporter.logout('short'),
    ];
    await Promise.allSettled(missed);
    const from = peer.requests.length;
    await proxy.setMode('pass');
    await eventually(() => expect(reporter.ready).toBe(2));
    const since = () => peer.requests.slice(from).map((line): Record<string, unknown> => JSON.parse(line));
    await eventually(() => {
      expect(since()).toContainEqual({ type: 'login', session_id: 'before', user_id: '3' });
      expect(since()).toContainEqual({ type: 'login', session_id: 'meanwhile', user_id: '3' });
      expect(since()).toContainEqual({ type: 'logout', session_id: 'ends' });
      expect(since()).toContainEqual({ type: 'logout', session_id: 'short' });
      expect(since()).toContainEqual({ type: 'state', user_id: '3', channel_id: 'r-5' });
    });
    const order = since()
      .filter(({ user_id }) => user_id === '3')
      .map(({ type }) => type);
    // A service that hung may still work on requests that it had received before.
    if (mode !== 'hang') expect(order).toEqual(['login', 'login', 'state']);
    // A session that ended must not begin again.
    expect(since()).not.toContainEqual({ type: 'login', session_id: 'ends', user_id: '4' });
  });
});

it('waits only for the first requests to a service that hangs, and then refuses requests at once', async () => {
  const { proxy, reporter } = await start({ timeoutMs: 300, retryMs: 200, maxRetryMs: 5_000 });
  await reporter.login('s', 3);
  await proxy.setMode('hang');
  await refusedWithin(500, () => reporter.notLooking('r-5', [3]));
  await refusedWithin(500, () => reporter.notLooking('r-5', [3]));
  for (let round = 0; round < 5; round += 1) {
    await refusedWithin(50, () => reporter.notLooking('r-5', [3]));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

it('ends the connection of a peer that sends 200 MB without a line end, and uses little memory', async () => {
  const { proxy, reporter } = await start({ connections: 1, retryMs: 1_000, maxRetryMs: 1_000 });
  const before = process.memoryUsage();
  for (let round = 0; round < 3; round += 1) {
    const accepted = proxy.accepted;
    await proxy.setMode('flood');
    await eventually(() => expect(proxy.accepted).toBeGreaterThan(accepted));
    await eventually(() => expect(proxy.open).toBe(0));
    await refusedWithin(50, () => reporter.login('s', 3));
  }
  const after = process.memoryUsage();
  // Part of this memory belongs to the proxy, which runs in this process and sends what it can.
  expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(20 * 1024 * 1024);
  await proxy.setMode('pass');
  await eventually(async () => expect(await reporter.notLooking('r-5', [3])).toEqual([3]));
});

it('accepts a reply of the presence service up to the size limit', async () => {
  const { peer, reporter } = await start({ connections: 1 });
  await reporter.login('s', 3);
  const voice = { 11: Array.from({ length: 6_000 }, (_, index) => String(100_000 + index)) };
  REPLIES['before-enter'] = JSON.stringify(voice).padEnd(64 * 1024);
  try {
    expect(await reporter.voice(3, 1)).toEqual(voice);
    REPLIES['before-enter'] = JSON.stringify(voice).padEnd(64 * 1024 + 1);
    await refusedWithin(800, () => reporter.voice(3, 1));
  } finally {
    REPLIES['before-enter'] = '{}';
  }
  await eventually(() => expect(peer.of('login')).toEqual(['s', 's']));
});

it('opens a lost connection again and reports each of its sessions once', async () => {
  const { peer, reporter } = await start({ connections: 1 });
  const ids = Array.from({ length: 500 }, (_, index) => `s${index}`);
  await Promise.all(ids.map((id, index) => reporter.login(id, index + 1)));
  expect(peer.of('login')).toEqual(ids);
  await reporter.logout('s7');
  for (const socket of peer.sockets) socket.destroy();
  await eventually(() => expect(peer.of('login')).toHaveLength(999));
  expect(peer.of('login').slice(500)).toEqual(ids.filter((id) => id !== 's7'));
  expect(await reporter.notLooking('r-5', [3])).toEqual([3]);
  expect(peer.of('login')).toHaveLength(999);
});

it('reports a login on the next connection that was refused between two connections', async () => {
  const { peer, reporter } = await start({ connections: 1, retryMs: 200 });
  await reporter.login('before', 1);
  for (const socket of peer.sockets) socket.destroy();
  await eventually(() => expect(reporter.ready).toBe(0));
  await refusedWithin(50, () => reporter.login('between', 1));
  await refusedWithin(50, () => reporter.logout('before'));
  await eventually(() => expect(peer.of('login')).toEqual(['before', 'between']));
  await eventually(() => expect(peer.of('logout')).toEqual(['before']));
});

it('reports live sessions again from time to time', async () => {
  const { peer, reporter } = await start({ renewMs: 50 });
  await reporter.login('s1', 1);
  await reporter.login('s2', 2);
  await eventually(() => expect(peer.of('login').filter((id) => id === 's1').length).toBeGreaterThan(2));
  expect(peer.of('login').filter((id) => id === 's2').length).toBeGreaterThan(1);
});

it('ends the connection at a reply to which no request belongs', async () => {
  const { peer, reporter, proxy } = await start({ connections: 1 });
  await reporter.login('s', 3);
  for (const socket of peer.sockets) socket.write('7,home\r\n');
  await eventually(() => expect(proxy.accepted).toBe(2));
  await eventually(async () => expect(await reporter.notLooking('r-5', [3])).toEqual([3]));
});

it('refuses requests at once over the limit for pending requests', async () => {
  const { peer, reporter } = await start({ connections: 1, maxPending: 10, timeoutMs: 200 });
  await reporter.login('s', 3);
  peer.answers = false;
  const calls = Array.from({ length: 20 }, () => reporter.notLooking('r-5', [3]));
  for (const call of calls) call.catch(() => {});
  await Promise.all(calls.slice(10).map((call) => refusedWithin(100, () => call)));
  await Promise.all(calls.slice(0, 10).map((call) => refusedWithin(400, () => call)));
  peer.answers = true;
  await eventually(async () => expect(await reporter.notLooking('r-5', [3])).toEqual([3]));
});

it('refuses a request that presence refuses, without harm to other requests', async () => {
  const { reporter, proxy } = await start({ connections: 1 });
  await reporter.login('s', 3);
  REPLIES.enter = 'error: no such channel';
  try {
    const asked = reporter.enterVoice(3, 1, 11);
    const other = reporter.voice(3, 1);
    await refusedWithin(100, () => asked);
    expect(await other).toEqual({});
  } finally {
    REPLIES.enter = '{"11":["3"]}';
  }
  expect(proxy.accepted).toBe(1);
});

it('waits for pending answers at a close, and refuses later requests', async () => {
  const { peer, reporter } = await start();
  await reporter.login('s', 3);
  const last = reporter.logout('s');
  await reporter.close();
  expect(await last).toEqual({ userId: 3, whereabouts: { kind: 'home' } });
  await refusedWithin(50, () => reporter.login('t', 3));
  await eventually(() => expect(peer.sockets.size).toBe(0));
});
