import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { readTopic } from '../../dev/services/read-topic.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import type { StompClient } from '../../dev/stomp-client.ts';

const SERVERS = 4;
const BURST = 56;
/** More than the lease of a server, 10 s. The nightly run sets 60. */
const PAUSE_MS = Number(process.env.PAUSE_SECONDS ?? 14) * 1_000;
/**
 * A batch in the outbox is published again after 3 to 10 s, according to the rank of the server.
 * The rest is for a busy machine.
 */
const SWEPT = { timeout: 30_000, interval: 200 };
const ROOM = 50;
const DIRECTORY = {
  users: Object.fromEntries([1, 2, 3, 4].map((id) => [String(id), { name: `name${id}`, image: null }])),
  rooms: { [ROOM]: [1, 2, 3, 4] },
  communities: {},
};
const TOPIC = `/topic/direct/${ROOM}`;
const message = (userId: number, content: string) => ({
  channelId: ROOM,
  userId,
  name: `name${userId}`,
  content,
  nonce: content,
});
/**
 * Sends a message, and again with the same nonce if the answer of the database or the receipt came
 * too late.
 */
async function sendMessage(client: StompClient, userId: number, content: string): Promise<void> {
  for (;;) {
    try {
      await client.send('/kafka/send-direct-message', message(userId, content));
      return;
    } catch (error) {
      expect(String(error)).toMatch(/"code":2503|no such frame/);
    }
  }
}

await describeWithService(['kafka', 'mongo', 'redis'], 'servers that are killed or stopped', () => {
  let cluster: Cluster;
  let mongo: MongoClient | undefined;
  const clients: StompClient[] = [];

  beforeAll(async () => {
    cluster = await startCluster({ servers: SERVERS, env: { LIMITS: 'off' }, directory: DIRECTORY });
    mongo = await new MongoClient(cluster.mongo.url).connect();
  });
  afterAll(async () => {
    await mongo?.close();
    await Promise.all(clients.map((client) => client.close()));
    await cluster?.stop();
  });

  const server = (index: number) => {
    const found = cluster.servers[index];
    if (found === undefined) throw new Error(`there is no server ${index}`);
    return found;
  };
  async function client(index: number, userId: number): Promise<StompClient> {
    const one = await cluster.client(index, userId);
    clients.push(one);
    return one;
  }
  /** The servers that wrote each number into the topic. */
  async function onTopic(): Promise<Map<number, string[]>> {
    const writers = new Map<number, string[]>();
    for (const { key, headers } of await readTopic(cluster.kafka.brokers, cluster.topic('DIRECT'))) {
      if (key !== `r-${ROOM}`) continue;
      const seq = Number(headers.seq);
      writers.set(seq, [...(writers.get(seq) ?? []), headers.server ?? '']);
    }
    return writers;
  }
  /** Resolves when no batch is in the outbox, so that no server will publish one again. */
  async function swept(): Promise<void> {
    const outbox = () => mongo?.db().collection('event').countDocuments({ out: true });
    await expect.poll(outbox, SWEPT).toBe(0);
  }
  const repeated = (writers: Map<number, string[]>) => [...writers].filter(([, servers]) => servers.length > 1);

  it('lets a server that was stopped for longer than its lease continue without a disconnect or a repeated event', {
    timeout: 120_000 + PAUSE_MS,
  }, async () => {
    const [here, elsewhere, third] = [await client(0, 1), await client(1, 1), await client(2, 3)];
    const mover = await client(0, 4);
    const watchers = [await client(0, 2), await client(3, 2)];
    const rooms = await Promise.all([here, elsewhere, third, ...watchers].map((one) => one.subscribe(TOPIC)));
    // The connects of all users are announced.
    await delay(3_000);
    const before = rooms.map((room) => room.bodies.length);
    const burst = Array.from({ length: BURST }, (_, i) => sendMessage(here, 1, `a${i}`));
    // In the middle of the burst: some events are stored, and some are not yet on the bus.
    await Promise.race(burst);
    await server(0).freeze();
    const during = Array.from({ length: 20 }, (_, i) => sendMessage(third, 3, `b${i}`));
    await Promise.all(during);
    await mover.cut();
    await client(1, 4);
    await delay(PAUSE_MS);
    await server(0).thaw();
    await Promise.all(burst);
    const sent = BURST + during.length;
    const heard = (index: number) => (rooms[index]?.bodies ?? []).slice(before[index]);
    const numbers = (index: number) => heard(index).flatMap(({ seq }) => (typeof seq === 'number' ? [seq] : []));
    const all = Array.from({ length: sent }, (_, i) => i + 1);
    for (const index of rooms.keys()) {
      await vi.waitFor(() => expect(numbers(index)).toEqual(all), { timeout: 20_000, interval: 100 });
    }
    await swept();
    for (const index of rooms.keys()) {
      expect(numbers(index)).toEqual(all);
      expect(heard(index).filter(({ type }) => type === 'disconnect')).toEqual([]);
    }
    // Records that were on their way to Kafka when the server was stopped may be there twice.
    expect((await onTopic()).size).toBe(sent);
    const as = { headers: { AUTHORIZATION: cluster.token(2) } };
    for (const { url } of cluster.servers) {
      const answer = await fetch(`${url}/chat-server/online?place=r-${ROOM}`, as);
      expect(await answer.json()).toMatchObject({ result: ['1', '2', '3', '4'] });
    }
  });

  it('publishes no event twice after a server was killed right after a burst', { timeout: 120_000 }, async () => {
    const before = repeated(await onTopic()).length;
    for (const round of [0, 1, 2]) {
      const sender = await client(round, 1);
      const known = (await onTopic()).size;
      const sending = Array.from({ length: BURST }, (_, i) => sendMessage(sender, 1, `${round} ${i}`));
      await Promise.all(sending);
      await server(round).kill();
      await swept();
      const counts = await onTopic();
      const twice = repeated(counts).filter(([seq]) => seq > known);
      expect([counts.size - known, twice]).toEqual([BURST, []]);
    }
    // A server that read the outbox just before it was empty has written what it found by now.
    expect(repeated(await onTopic()).length).toBe(before);
  });
});
