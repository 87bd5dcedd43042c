import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { runStorm } from '../../dev/storm/storm.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

it('loses, repeats and reorders nothing while workers, hub and parent are killed and frozen', {
  timeout: 240_000,
}, async () => {
  const report = await runStorm({ seed: 5, seconds: 25, rate: 100, workers: 3, disks: false });
  const { findings, surprises, resets, file } = report;
  expect({ findings, surprises, resets, file }).toEqual({ findings: [], surprises: [], resets: 0, file: null });
  expect(report.acknowledged).toBeGreaterThan(250);
  expect(report.deliveries).toBeGreaterThan(report.acknowledged);
});

const ADMIN_TOKEN = 'operations-'.repeat(4);

/**
 * Makes every process of the server throw on SIGUSR2, where nobody catches it. Of the next four
 * processes that it starts, the first and the third fail.
 */
const THROWING = `data:text/javascript,${encodeURIComponent(`
  import { ChildProcess } from 'node:child_process';
  const { spawn } = ChildProcess.prototype;
  let left = 0;
  ChildProcess.prototype.spawn = function (...given) {
    if (left > 0 && left-- % 2 === 0) throw new Error('spawn ENOMEM');
    return spawn.apply(this, given);
  };
  process.on('SIGUSR2', () => {
    left = 4;
    throw new Error('nobody handles this');
  });`)}`;

/** Workers report changes to each other within a second. */
const SOON = { timeout: 15_000 };

describe('workers on embedded parts', () => {
  let system: EmbeddedSystem;
  beforeAll(async () => {
    system = await startSystem({
      WORKERS: '3',
      LIMIT_CONNECTIONS_PER_USER: '4',
      LIMITS: 'on',
      NODE_OPTIONS: `--import=${THROWING}`,
      ADMIN_TOKENS: `ops:${ADMIN_TOKEN}`,
    });
  });
  afterAll(() => system?.stop());

  const connect = (userId: number) => StompClient.connect({ url: system.url, token: system.token(userId), userId });
  async function get(path: string, userId: number): Promise<unknown> {
    const answer = await fetch(`${system.url}/chat-server/${path}`, {
      headers: { authorization: system.token(userId), connection: 'close' },
    });
    return ((await answer.json()) as { result: unknown }).result;
  }

  it('share traces, whichever worker gets a call', async () => {
    const sender = await connect(3);
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, connection: 'close' };
    const service = `${system.url}/chat-server/service`;
    const servers = async () =>
      ((await (await fetch(`${service}/servers`, { headers })).json()) as { servers: unknown[] }).servers;
    // Node's cluster gives a connection to the worker that has waited longest. So among nine
    // answers there is one of each worker, also where one of them is busy for a moment.
    const counts = async () => (await Promise.all(Array.from({ length: 9 }, servers))).map(({ length }) => length);
    await expect.poll(counts, SOON).toEqual(Array(9).fill(3));
    const begun = await fetch(`${service}/traces`, { method: 'POST', headers, body: '{"userId":3,"minutes":1}' });
    const { id } = (await begun.json()) as { id: string };
    // Another worker knows of the trace some moments later.
    const reading = async () => {
      const attempt = await fetch(`${service}/traces/${id}`, { headers });
      if (attempt.status === 200) return attempt;
      await attempt.text();
      return null;
    };
    const answer = await vi.waitUntil(reading, SOON);
    await sender.send('/kafka/send-direct-message', { channelId: 99, userId: 3, content: 'x' });
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('"step":"stored"')) break;
    }
    expect(text).toMatch(/"servers":\["[^"]+-1","[^"]+-2","[^"]+-3"\]/);
    await sender.close();
  });

  it('share presence, unread counts and the number of connections', async () => {
    // Node's cluster gives connections to the workers in turn.
    const own = await Promise.all([connect(1), connect(1), connect(1), connect(1)]);
    // The workers know of each other's sessions some moments later. Until then, one more may begin.
    const oneMore = async () => {
      const client = await connect(1);
      await client.close();
      return 'connected';
    };
    await expect.poll(() => oneMore().catch(String), SOON).toContain('too many connections');
    const listeners = await Promise.all([connect(2), connect(2), connect(2)]);
    const rooms = await Promise.all(listeners.map((listener) => listener.subscribe('/topic/direct/5')));
    for (let times = 0; times < 6; times += 1)
      await expect.poll(() => get('online?place=r-5', 2), SOON).toEqual(['1', '2']);
    await own[0]?.send('/kafka/send-direct-message', { channelId: 5, userId: 1, content: 'to all workers' });
    for (const room of rooms) expect(await room.atLeast(1)).toMatchObject([{ message: 'to all workers', seq: 1 }]);
    for (let times = 0; times < 6; times += 1) {
      await expect.poll(() => get('unread?places=r-5', 2), SOON).toMatchObject([{ place: 'r-5', count: 1, seq: 1 }]);
    }
    await Promise.all([...own, ...listeners].map((client) => client.close()));
    for (let times = 0; times < 6; times += 1) await expect.poll(() => get('online?place=r-5', 2), SOON).toEqual([]);
  });

  it('go on after an error that nobody handles, in the workers, the hub and the parent process', async () => {
    const client = await connect(1);
    const pids = [Number(system.server.pid), ...childrenOf(system.server.pid)];
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    const errors = async () => (await system.server.log()).split('nobody handles this').length - 1;
    await expect.poll(errors, SOON).toBeGreaterThanOrEqual(pids.length);
    await client.send('/kafka/send-direct-message', { channelId: 5, userId: 1, content: 'still here' });
    expect([Number(system.server.pid), ...childrenOf(system.server.pid)]).toEqual(pids);
    await client.close();
  });

  it('start the hub again although the system refuses the first attempt', async () => {
    const workers = workersOf(system.server.pid);
    const [hub = 0] = childrenOf(system.server.pid).filter((pid) => !workers.includes(pid));
    process.kill(hub, 'SIGKILL');
    await expect.poll(() => system.server.log(), SOON).toContain('the hub of the workers could not be started');
    await expect.poll(() => childrenOf(system.server.pid).length, SOON).toBe(4);
    const client = await connect(1);
    const send = () => client.send('/kafka/send-direct-message', { channelId: 5, userId: 1, content: 'with a hub' });
    await expect.poll(() => send().then(() => 'sent', String), SOON).toBe('sent');
    await client.close();
  });

  it('let clients wait for the next workers, instead of refusing them, after all workers were killed', async () => {
    for (const pid of workersOf(system.server.pid)) process.kill(pid, 'SIGKILL');
    await expect.poll(() => system.server.log(), SOON).toContain('no worker runs; new connections wait');
    const outcome = () =>
      fetch(`${system.url}/chat-server/health/live`).then(
        ({ status }) => status,
        (error: Error & { cause?: { code?: string } }) => error.cause?.code,
      );
    // On a slow machine the client is closed before a worker runs. It is never refused.
    expect(await outcome()).toBeOneOf([200, 'UND_ERR_SOCKET']);
    await expect.poll(outcome, { timeout: 60_000 }).toBe(200);
    const client = await connect(1);
    await client.send('/kafka/send-direct-message', { channelId: 5, userId: 1, content: 'again' });
    expect(await system.server.log()).toContain('a worker could not be started and is tried again');
    expect(await get('unread?places=r-5', 2)).toMatchObject([{ place: 'r-5', seq: 4 }]);
    await client.close();
  });
});

/** The process ids of the hub and the workers of a server. */
function childrenOf(parent: number | undefined): number[] {
  return readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function workersOf(parent: number | undefined): number[] {
  return childrenOf(parent).filter((pid) =>
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .some((line) => line.startsWith('CHAT_WORKER=')),
  );
}
