import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import type { StackMember } from '../../dev/cluster/services.ts';
import { checkDiskFaults, type DiskFault, harmDisk } from '../../dev/services/disk-faults.ts';
import { describeWhen, obtainable } from '../../dev/services/shared.ts';
import { StompClient } from '../../dev/stomp-client.ts';

const ROOM = 50;
const DIRECTORY = {
  users: Object.fromEntries([1, 2].map((id) => [String(id), { name: `name${id}`, image: null }])),
  rooms: { [ROOM]: [1, 2] },
  communities: {},
};
const SLOW_MS = 300;
/** Longer than the servers wait for anything. */
const STALL_MS = 60_000;
/** Sends are refused within 5 s while MongoDB does not answer. The rest is for a busy machine. */
const MAX_REFUSAL_MS = 8_000;
const SOON = { timeout: 120_000, interval: 300 };
const isNumbered = ({ seq }: Readonly<Record<string, unknown>>) => typeof seq === 'number';

async function needs(): Promise<void> {
  await Promise.all([obtainable('kafka'), obtainable('mongo'), obtainable('redis'), checkDiskFaults()]);
}

await describeWhen('servers on services with slow and full disks', async () => {
  await needs();
  return suite;
});

function suite(): void {
  let cluster: Cluster;
  let urls: readonly string[];
  let clients: readonly StompClient[];
  let rooms: readonly Awaited<ReturnType<StompClient['subscribe']>>[];
  const acknowledged: number[] = [];
  let nonces = 0;

  beforeAll(async () => {
    cluster = await startCluster({ servers: 1, own: true, env: { LIMITS: 'off' }, directory: DIRECTORY });
    const other = await cluster.add({ env: { KAFKA_CLIENT: 'platformatic' } });
    urls = [...cluster.servers, other].map(({ url }) => url);
    clients = await Promise.all(
      urls.map((url, i) => StompClient.connect({ url, token: cluster.token(i + 1), userId: i + 1 })),
    );
    for (const client of clients) await client.subscribe('/user/queue/errors', { id: 'errors' });
    rooms = await Promise.all(clients.map((client) => client.subscribe(`/topic/direct/${ROOM}`)));
  });
  afterAll(async () => {
    for (const client of clients ?? []) client.cut();
    await cluster?.stop();
  });

  function member(name: string): StackMember {
    const found = cluster.members.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the cluster has no ${name}`);
    return found;
  }

  /** Harms the disk of a service. The function that it resolves with repairs it. */
  async function harm(name: string, fault: DiskFault): Promise<() => Promise<void>> {
    const undo = await harmDisk(member(name).pid ?? 0, fault);
    onTestFinished(undo);
    return async () => {
      await undo();
      if (member(name).pid === undefined) await member(name).restart();
    };
  }

  /** Resolves with `stored`, or with the code of the refusal, and with the time it took. */
  async function say(i: number, nonce = `n${++nonces}`): Promise<{ outcome: string; ms: number; nonce: string }> {
    const body = { channelId: ROOM, userId: i + 1, name: `name${i + 1}`, content: nonce, nonce };
    const began = performance.now();
    const outcome = await clients[i]?.send('/kafka/send-direct-message', body).then(
      ({ headers }) => {
        acknowledged.push(Number(headers.seq));
        return 'stored';
      },
      (error: unknown) => /"code":(\d+)/.exec(String(error))?.[1] ?? String(error),
    );
    return { outcome: outcome ?? 'no client', ms: performance.now() - began, nonce };
  }

  /** Both users send: a message each. */
  function both(): ReturnType<typeof say>[] {
    return [say(0), say(1)];
  }

  async function expectReady(): Promise<void> {
    for (const url of urls) expect((await fetch(`${url}/chat-server/health/ready`)).status).toBe(200);
  }

  /** The parts that each server reports as degraded. */
  function degraded(): Promise<(readonly string[])[]> {
    return Promise.all(
      urls.map(async (url) => {
        const answer = await fetch(`${url}/chat-server/health/ready`);
        return ((await answer.json()) as { readonly degraded: readonly string[] }).degraded;
      }),
    );
  }

  /**
   * Sends until both servers store again, and waits until both users have all messages in order.
   */
  async function expectAll(refused: readonly string[] = []): Promise<void> {
    for (const [i] of clients.entries())
      await expect.poll(() => say(i).then(({ outcome }) => outcome), SOON).toBe('stored');
    for (const nonce of refused) expect((await say(0, nonce)).outcome).toBe('stored');
    const newest = Math.max(...acknowledged);
    for (const room of rooms) {
      await room.atLeast(newest, isNumbered, SOON.timeout);
      const seqs = room.bodies.filter(isNumbered).map(({ seq }) => seq);
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, n) => n + 1));
    }
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
  }

  it('receipt sends later while the disk of MongoDB is slow', async () => {
    const repair = await harm('mongo', { delayMs: SLOW_MS });
    for (const { outcome, ms } of await Promise.all(both())) {
      expect(outcome).toBe('stored');
      expect(ms).toBeGreaterThan(SLOW_MS);
    }
    await expectReady();
    await repair();
    await expectAll();
  });

  it('refuse sends with 2503 while the disk of MongoDB hangs, stay ready, and store them once afterwards', async () => {
    const repair = await harm('mongo', { delayMs: STALL_MS });
    const [mine, other] = await Promise.all(both());
    for (const one of [mine, other]) {
      expect(one?.outcome).toBe('2503');
      expect(one?.ms).toBeLessThan(MAX_REFUSAL_MS);
    }
    await expectReady();
    await repair();
    await expectAll([mine?.nonce ?? '']);
  });

  it('refuse sends while the disk of MongoDB is full, stay ready, and store again when it has space', async () => {
    const repair = await harm('mongo', 'full');
    for (const { outcome, ms } of await Promise.all(both())) {
      expect(outcome).toMatch(/^2503$|^2300$/);
      expect(ms).toBeLessThan(MAX_REFUSAL_MS);
    }
    await expectReady();
    await repair();
    await expectAll();
  });

  it.each<[string, DiskFault]>([
    ['slow', { delayMs: SLOW_MS }],
    ['hanging', { delayMs: STALL_MS }],
    ['full', 'full'],
  ])('store, receipt and deliver messages while the disk of Kafka is %s', async (name, fault) => {
    const repair = await harm('kafka', fault);
    for (const { outcome } of await Promise.all([...both(), ...both()])) expect(outcome).toBe('stored');
    await expectAll();
    if (name !== 'slow') await expect.poll(degraded, SOON).toEqual(urls.map(() => [expect.stringMatching(/^kafka: /)]));
    await expectReady();
    await repair();
    await expectAll();
    await expect.poll(degraded, SOON).toEqual(urls.map(() => []));
  });

  it.each<[string, DiskFault]>([
    ['slow', { delayMs: SLOW_MS }],
    ['hanging', { delayMs: STALL_MS }],
    ['full', 'full'],
  ])('store, receipt and deliver messages while the disk of Redis is %s', async (_, fault) => {
    const repair = await harm('redis', fault);
    for (const { outcome } of await Promise.all([...both(), ...both()])) expect(outcome).toBe('stored');
    await expectAll();
    await expectReady();
    await repair();
    await expectAll();
  });
}
