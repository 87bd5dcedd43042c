import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { freePorts } from '../../dev/services/free-port.ts';
import { Kafka } from '../../dev/services/kafkajs.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import type { StompClient, StompSubscription } from '../../dev/stomp-client.ts';
import { main } from '../../src/bootstrap/cli/main.ts';
import { OriginalServer } from '../support/original-server.ts';

const ROOM = 50;
const PLACE = 'r-50';
const EACH = 40;
const CHANGES = 10;
/** How far the zone of the original's clock is ahead. */
const ZONE_HOURS = 9;
const DIRECTORY = {
  users: { 1: { name: 'user1', image: null }, 2: { name: 'user2', image: null }, 3: { name: 'user3', image: null } },
  rooms: { [ROOM]: [1, 2, 3] },
  communities: {},
};

type Body = Readonly<Record<string, unknown>>;

const ids = (bodies: readonly Body[]) => bodies.map(({ seq, id }) => [seq, id]);

/** The bodies with a number, without those about presence, as soon as there are so many. */
async function numbered({ bodies }: StompSubscription, count: number): Promise<readonly Body[]> {
  const stored = () => bodies.filter(({ seq }) => seq !== undefined);
  await vi.waitFor(() => expect(stored().length).toBeGreaterThanOrEqual(count), { timeout: 15_000, interval: 50 });
  return stored();
}

await describeWithService(['kafka', 'mongo', 'redis'], 'two servers beside an original one', () => {
  let cluster: Cluster;
  let original: OriginalServer;
  let database: MongoClient;
  const clients: StompClient[] = [];

  beforeAll(async () => {
    const [port = 0, other = 0] = await freePorts(2);
    cluster = await startCluster({
      servers: 2,
      env: { LIMITS: 'off', FIRST_GENERATION: 'on', PUBLIC_URL: `http://127.0.0.1:${port}` },
      ports: { servers: [port, other] },
      directory: DIRECTORY,
    });
    database = await new MongoClient(cluster.mongo.url).connect();
    original = await OriginalServer.start({
      mongo: cluster.mongo.url,
      database: database.db().databaseName,
      kafka: { brokers: cluster.kafka.brokers, topic: (kind) => cluster.topic(kind as 'DIRECT') },
      zone: ZONE_HOURS,
    });
  });
  afterAll(async () => {
    await original?.stop();
    await database?.close();
    await Promise.all(clients.map((client) => client.close()));
    await cluster?.stop();
  });

  async function listen(server: number, userId: number, lastSeq?: number): Promise<StompSubscription> {
    const client = await cluster.client(server, userId);
    clients.push(client);
    return client.subscribe(`/topic/direct/${ROOM}`, lastSeq === undefined ? {} : { lastSeq });
  }

  async function get<T>(server: number, path: string, userId = 1): Promise<T> {
    const headers = { AUTHORIZATION: cluster.token(userId) };
    const response = await fetch(`${cluster.servers[server]?.url}/chat-server/${path}`, { headers });
    return ((await response.json()) as { result: T }).result;
  }

  it('gives messages, edits and deletions of the original their numbers, each once for everybody', async () => {
    const heard = [await listen(0, 1), await listen(1, 2)] as const;
    const sender = await cluster.client(1, 3);
    clients.push(sender);
    const theirs: string[] = [];
    for (let i = 0; i < EACH; i += 1) {
      theirs.push(await original.send(PLACE, 1, `theirs ${i}`));
      const body = { channelId: ROOM, userId: 3, name: 'user3', profileImage: null, content: `ours ${i}` };
      await sender.send('/kafka/send-direct-message', body);
    }
    const sent = await numbered(heard[0], 2 * EACH);
    const ours = (i: number) => String(sent.find(({ message }) => message === `ours ${i}`)?.id);
    for (let i = 0; i < CHANGES; i += 1) {
      // The original changes its own messages and those of the other servers.
      await original.edit(PLACE, i % 2 === 0 ? String(theirs[i]) : ours(i), `edited ${i}`);
      await original.remove(PLACE, i % 2 === 0 ? ours(20 + i) : String(theirs[20 + i]));
    }
    const total = 2 * EACH + 2 * CHANGES;
    const live = await numbered(heard[0], total);
    expect(live.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(ids(await numbered(heard[1], total))).toEqual(ids(live));
    for (const server of [0, 1]) expect(ids(await numbered(await listen(server, 2, 0), total))).toEqual(ids(live));

    const deleted = new Set(live.filter(({ type }) => type === 'delete').map(({ id }) => id));
    expect(deleted.size).toBe(CHANGES);
    const left = live.filter(({ type, id }) => type === 'message' && !deleted.has(id));
    const pages = await Promise.all([
      get<Body[]>(0, `direct?ch_id=${ROOM}&page=0&size=200`),
      get<Body[]>(1, `direct?ch_id=${ROOM}&page=0&size=200`),
      get<Body[]>(1, `direct?ch_id=${ROOM}&after=0&size=200`),
    ]);
    for (const page of pages) {
      expect(ids(page)).toEqual(ids(left));
      expect(page.map(({ message }) => message)).toEqual(pages[0].map(({ message }) => message));
    }
    expect(pages[0].filter(({ message }) => String(message).startsWith('edited'))).toHaveLength(CHANGES);
    const counts = await Promise.all([0, 1].map((server) => get<object[]>(server, `unread?places=${PLACE}`, 2)));
    expect(counts).toEqual([0, 1].map(() => [{ place: PLACE, count: left.length, seq: total }]));

    const batches = await database.db().collection('event').find({ p: PLACE }).sort({ f: 1 }).toArray();
    const log = batches.flatMap(({ e }) => e as { kind: string; id: string; content?: string }[]);
    expect(log.map(({ id }) => id)).toEqual(live.map(({ id }) => id));
    const texts = log.filter(({ id, kind }) => deleted.has(id) && kind !== 'delete').map(({ content }) => content);
    expect(texts.filter((text) => text !== '')).toEqual([]);
  });

  it('shows the right time of a message although the clock of the original runs in another zone', async () => {
    const heard = await listen(0, 1);
    await original.send(PLACE, 1, 'what time is it');
    const [body] = await numbered(heard, 1);
    expect(Math.abs(Date.parse(`${body?.time}Z`) - Date.now())).toBeLessThan(60_000);
  });

  it('has its messages in the collection before anybody sees them, so that the original can edit them', async () => {
    const heard = await listen(0, 1);
    const sender = await cluster.client(1, 3);
    clients.push(sender);
    for (let i = 0; i < 10; i += 1) {
      sender.tell('/kafka/send-direct-message', { channelId: ROOM, userId: 3, content: `seen ${i}` });
      const body = (await numbered(heard, 2 * i + 1)).at(-1);
      await original.edit(PLACE, String(body?.id), `changed ${i}`);
      expect((await numbered(heard, 2 * i + 2)).at(-1)).toMatchObject({ type: 'modify', message: `changed ${i}` });
    }
  });

  it('shares files as whole links, which the original shows as they are', async () => {
    const heard = await listen(0, 1);
    const form = new FormData();
    form.set('channelId', String(ROOM));
    form.set('userId', '3');
    form.set('type', 'direct');
    form.set('fileType', 'file');
    form.set('image', new Blob(['the file']), 'a.txt');
    const url = `${cluster.servers[1]?.url}/chat-server/file`;
    const headers = { AUTHORIZATION: cluster.token(3) };
    expect((await fetch(url, { method: 'POST', headers, body: form })).status).toBe(200);
    const [body] = await numbered(heard, 1);
    const doc = await database.db().collection('directMessage').findOne({ seq: body?.seq });
    expect(await (await fetch(String(doc?.content))).text()).toBe('the file');
    expect(String(doc?.content)).toContain(`/files/${doc?.file}`);
    expect(body?.message).toMatch(new RegExp(`/files/${doc?.file}\\?`));
  });

  it('makes topics with one partition, because the original writes without keys', async () => {
    const admin = new Kafka({ brokers: [...cluster.kafka.brokers], clientId: 'test' }).admin();
    const { topics } = await admin.fetchTopicMetadata({ topics: [cluster.topic('DIRECT')] });
    await admin.disconnect();
    expect(topics.map(({ partitions }) => partitions.length)).toEqual([1]);
  });

  it('publishes nothing of the original again', async () => {
    const left = await database
      .db()
      .collection('event')
      .find({ a: { $exists: true }, out: true })
      .toArray();
    expect(left).toEqual([]);
  });

  it('numbers by a command what the original wrote while no server of ours listened', async () => {
    const lines: string[] = [];
    const run = (...words: string[]) =>
      main(['migrate', ...words], {
        env: cluster.env,
        out: (text) => lines.push(text),
        err: (text) => lines.push(text),
      });
    const silent = await OriginalServer.start({
      mongo: cluster.mongo.url,
      database: database.db().databaseName,
      kafka: null,
    });
    await silent.send('r-51', 2, 'one');
    await silent.send('r-51', 2, 'two');
    await silent.stop();
    const redis = new Redis(cluster.redis.url);
    await redis.set('R51', '{"members":"all"}');
    expect(await run('--check')).toBe(1);
    expect(lines.splice(0).join('')).toContain('problem: 1 member lists that are not valid');
    await redis.del('R51');
    redis.disconnect();
    expect(await run('--check')).toBe(0);
    expect(lines.join('')).toContain('note: 2 messages without a number in directMessage: numbered when');
    expect(await run('--number')).toBe(0);
    expect(lines.join('')).toContain('places have all their numbers; 2 events are new');
    expect(await run('--number')).toBe(0);
    expect(lines.join('')).toContain('places have all their numbers; 0 events are new');
  });
});
