import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { freePorts } from '../../dev/services/free-port.ts';
import { Kafka } from '../../dev/services/kafkajs.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { StompClient, type StompSubscription } from '../../dev/stomp-client.ts';
import { main } from '../../src/bootstrap/cli/main.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import { OriginalServer, type ShownRecord } from '../support/original-server.ts';

const ROOM = 50;
const PLACE = 'r-50';
const CHANNEL = 60;
const EACH = 40;
const CHANGES = 10;
const BURST = 10;
/** How far the zone of the original's clock is ahead. */
const ZONE_HOURS = 9;
const HOUR_MS = 3_600_000;
const WAIT = { timeout: 20_000, interval: 50 };
const DIRECTORY = {
  users: { 1: { name: 'user1', image: null }, 2: { name: 'user2', image: null }, 3: { name: 'user3', image: null } },
  rooms: { [ROOM]: [1, 2, 3] },
  communities: { 1: { members: [1, 2, 3], channels: { [CHANNEL]: null } } },
};

/** A module that writes the name of each file that the process loads. */
const LOADED_FILES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const load = (url, context, next) => {
    if (!url.includes('node_modules')) console.log('loaded ' + url);
    return next(url, context);
  };
  registerHooks({ load });`)}`;

type Body = Readonly<Record<string, unknown>>;

const ids = (bodies: readonly Body[]) => bodies.map(({ seq, id }) => [seq, id]);

/** The bodies with a number, without those about presence, as soon as there are so many. */
async function numbered({ bodies }: StompSubscription, count: number): Promise<readonly Body[]> {
  const stored = () => bodies.filter(({ seq }) => seq !== undefined);
  await vi.waitFor(() => expect(stored().length).toBeGreaterThanOrEqual(count), WAIT);
  return stored();
}

await describeWithService(['kafka', 'mongo', 'redis'], 'two servers beside an original one', () => {
  let cluster: Cluster;
  let original: OriginalServer;
  let database: MongoClient;
  /** The records that clients of the original see. */
  let shown: readonly ShownRecord[];
  const clients: StompClient[] = [];

  beforeAll(async () => {
    const [port = 0, other = 0] = await freePorts(2);
    cluster = await startCluster({
      servers: 2,
      env: {
        LIMITS: 'off',
        FIRST_GENERATION: 'on',
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        FILE_URL_HOURS: '8760',
      },
      ports: { servers: [port, other] },
      directory: DIRECTORY,
    });
    database = await new MongoClient(cluster.mongo.url).connect();
    original = await OriginalServer.start({
      mongo: cluster.mongo.url,
      database: database.db().databaseName,
      kafka: { brokers: cluster.kafka.brokers, topic: (stream) => cluster.topic(stream) },
      zone: ZONE_HOURS,
    });
    shown = await original.listen();
  });
  afterAll(async () => {
    await original?.stop();
    await database?.close();
    await Promise.all(clients.map((client) => client.close()));
    await cluster?.stop();
  });

  async function clientOf(server: number, userId: number): Promise<StompClient> {
    const client = await cluster.client(server, userId);
    clients.push(client);
    return client;
  }

  async function listen(server: number, userId: number, lastSeq?: number, topic = `direct/${ROOM}`) {
    const client = await clientOf(server, userId);
    return client.subscribe(`/topic/${topic}`, lastSeq === undefined ? {} : { lastSeq });
  }

  async function call(server: number, path: string, init: RequestInit = {}, userId = 1): Promise<Response> {
    const headers = { AUTHORIZATION: cluster.token(userId), ...(init.headers as Record<string, string>) };
    return fetch(`${cluster.servers[server]?.url}/chat-server/${path}`, { ...init, headers });
  }

  async function get<T>(server: number, path: string, userId = 1): Promise<T> {
    return ((await (await call(server, path, {}, userId)).json()) as { result: T }).result;
  }

  const send = (client: StompClient, content: string) =>
    client.send('/kafka/send-direct-message', { channelId: ROOM, userId: 3, content });

  /**
   * Resolves with the records that clients of the original have seen, as soon as these are there.
   */
  async function seenByOriginal(...expected: ShownRecord[]): Promise<readonly ShownRecord[]> {
    const wanted = expected.map((record) => expect.objectContaining(record));
    await vi.waitFor(() => expect(shown).toEqual(expect.arrayContaining(wanted)), WAIT);
    return shown;
  }

  /** A call of `chat-server migrate`. Returns the exit code and the output. */
  async function migrate(option: string, env: Readonly<Record<string, string>> = {}): Promise<[number | null, string]> {
    const lines: string[] = [];
    const take = (text: string) => void lines.push(text);
    const code = await main(['migrate', option], { env: { ...cluster.env, ...env }, out: take, err: take });
    return [code, lines.join('')];
  }

  it('gives messages, edits and deletions of the original their numbers, each once for everybody', async () => {
    const heard = [await listen(0, 1), await listen(1, 2)] as const;
    const sender = await clientOf(1, 3);
    const theirs: string[] = [];
    for (let i = 0; i < EACH; i += 1) {
      theirs.push(await original.send(PLACE, 1, `theirs ${i}`));
      if (i === EACH / 2) await original.look(PLACE, 1);
      await send(sender, `ours ${i}`);
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
    const history = await original.history(PLACE);
    expect(history.map(({ _id }) => String(_id)).sort()).toEqual(left.map(({ id }) => String(id)).sort());
    expect(String((await original.newest(PLACE))?._id)).toBe(String(history.at(-1)?._id));

    const counts = await Promise.all([0, 1].map((server) => get<object[]>(server, `unread?places=${PLACE}`, 2)));
    expect(counts).toEqual([0, 1].map(() => [{ place: PLACE, count: left.length, seq: total }]));
    // User 1 wrote at the original after they looked there. Only the original counts these.
    const own = left.filter(({ message }) => Number(/^theirs (\d+)$/.exec(String(message))?.[1]) > EACH / 2).length;
    const count = (await original.unread(PLACE, 1)) - own;
    expect(await get(0, `unread?places=${PLACE}`)).toEqual([{ place: PLACE, count, seq: total }]);

    const batches = await database.db().collection('event').find({ p: PLACE }).sort({ f: 1 }).toArray();
    const log = batches.flatMap(({ e }) => e as { kind: string; id: string; content?: string }[]);
    expect(log.map(({ id }) => id)).toEqual(live.map(({ id }) => id));
    const texts = log.filter(({ id, kind }) => deleted.has(id) && kind !== 'delete').map(({ content }) => content);
    expect(texts.filter((text) => text !== '')).toEqual([]);
    // Each server of these publishes only its own events.
    expect(batches.filter(({ a, out }) => a !== undefined && out === true)).toEqual([]);
  });

  it('takes replies and files of the original in a channel, and edits and deletions of its own by it', async () => {
    const topic = `group/${CHANNEL}`;
    const heard = [await listen(0, 1, undefined, topic), await listen(1, 2, undefined, topic)] as const;
    const sender = await clientOf(1, 3);
    const body = { communityId: 1, channelId: CHANNEL, userId: 3, name: 'user3', profileImage: null };
    await sender.send('/kafka/send-channel-message', { ...body, content: 'ours' });
    const [first = {}] = await numbered(heard[0], 1);
    const place: ConversationKey = `c-${CHANNEL}`;
    await original.reply(place, 1, 'their reply', { ...first, name: 'user3' });
    const theirs = await original.share(place, 1, 'http://bucket/cat.png', 'http://bucket/t.png');
    await numbered(heard[0], 3);
    const parent = { parentId: first.id, parentName: 'user3', parentContent: 'ours' };
    await sender.send('/kafka/send-channel-reply', { ...body, content: 'our reply', type: 'reply', ...parent });
    await numbered(heard[0], 4);
    await original.edit(place, String(first.id), 'edited there');
    await original.remove(place, theirs);
    const live = await numbered(heard[0], 6);
    expect(live).toMatchObject([
      { seq: 1, type: 'message', message: 'ours' },
      { seq: 2, type: 'reply', message: 'their reply', name: 'user1', parentName: 'user3', parentContent: 'ours' },
      { seq: 3, type: 'community', fileType: 'image', name: 'user1', message: 'http://bucket/cat.png' },
      { seq: 4, type: 'reply', message: 'our reply', parentContent: 'ours' },
      { seq: 5, type: 'modify', id: first.id, message: 'edited there' },
      { seq: 6, type: 'delete', id: theirs },
    ]);
    expect(live[2]).toMatchObject({ thumbnail: 'http://bucket/t.png' });
    expect(ids(await numbered(heard[1], 6))).toEqual(ids(live));
    const page = await get<Body[]>(1, `community?ch_id=${CHANNEL}&page=0`);
    expect(page).toMatchObject([
      { seq: 1, message: 'edited there' },
      { seq: 2, fileType: 'reply', message: 'their reply', parentContent: 'edited there' },
      { seq: 4, fileType: 'reply', message: 'our reply', parentContent: 'edited there' },
    ]);
    await seenByOriginal({ id: live[3]?.id, type: 'reply', content: 'our reply', parentContent: 'ours' });
  });

  it('passes typing, voice, calls and presence on in both directions', async () => {
    const room = await listen(0, 1);
    const community = await listen(1, 2, undefined, 'community/1');
    const all = ['community/1', `direct/${ROOM}`];
    await original.type(PLACE, 'user1');
    await original.tell({ type: 'enter', state: '{"60":["9"]}', communityId: '1' });
    await original.tell({ type: 'exit-community', typeForExit: 'out', communityId: null, channelId: '50', ids: ['9'] });
    await original.tell({ type: 'connect', userId: '9', ids: all });
    await original.tell({ type: 'disconnect', userId: '9', ids: all });
    await vi.waitFor(() => {
      expect(room.bodies).toEqual(expect.arrayContaining([{ name: 'user1', type: 'typing' }]));
      for (const type of ['connect', 'disconnect']) {
        expect(room.bodies).toContainEqual({ type, userId: '9' });
        expect(community.bodies).toContainEqual({ type, userId: '9' });
      }
      expect(room.bodies).toContainEqual(expect.objectContaining({ type: 'out', ids: ['9'] }));
      expect(community.bodies).toContainEqual({ [CHANNEL]: ['9'] });
    }, WAIT);

    const other = await clientOf(0, 3);
    await other.send('/kafka/send-direct-typing', { content: 'user3', channelId: ROOM, type: 'typing' });
    const left = JSON.stringify({ type: 'out', channelId: String(ROOM), ids: ['3'] });
    const url = `${cluster.servers[1]?.url}/chat-server/signaling-list-direct`;
    expect((await fetch(url, { method: 'POST', body: left })).status).toBe(200);
    // Where a user is online at one of these servers, the original's report of their absence is
    // corrected.
    await original.tell({ type: 'disconnect', userId: '1', ids: all });
    const before = shown.length;
    await seenByOriginal(
      { type: 'typing', channelId: ROOM, content: 'user3' },
      { type: 'exit-room', channelId: String(ROOM), typeForExit: 'out', ids: ['3'] },
    );
    await vi.waitFor(
      () => expect(shown.slice(before)).toContainEqual(expect.objectContaining({ type: 'connect', userId: '1' })),
      WAIT,
    );
  });

  it('shows the right time of a message although the clock of the original runs in another zone', async () => {
    const heard = await listen(0, 1);
    await original.send(PLACE, 1, 'what time is it');
    const [body] = await numbered(heard, 1);
    expect(Math.abs(Date.parse(`${body?.time}Z`) - Date.now())).toBeLessThan(60_000);
  });

  it('has its messages in the collection before anybody sees them, so that the original can edit them', async () => {
    const heard = await listen(0, 1);
    const sender = await clientOf(1, 3);
    for (let i = 0; i < 5; i += 1) {
      sender.tell('/kafka/send-direct-message', { channelId: ROOM, userId: 3, content: `seen ${i}` });
      const body = (await numbered(heard, 2 * i + 1)).at(-1);
      await original.edit(PLACE, String(body?.id), `changed ${i}`);
      expect((await numbered(heard, 2 * i + 2)).at(-1)).toMatchObject({ type: 'modify', message: `changed ${i}` });
    }
  });

  it('shares files as whole links for a year, which the original shows as they are', async () => {
    const heard = await listen(0, 1);
    const form = new FormData();
    form.set('channelId', String(ROOM));
    form.set('userId', '3');
    form.set('type', 'direct');
    form.set('fileType', 'file');
    form.set('image', new Blob(['the file']), 'a.txt');
    expect((await call(1, 'file', { method: 'POST', body: form }, 3)).status).toBe(200);
    const [body] = await numbered(heard, 1);
    const doc = await database.db().collection('directMessage').findOne({ seq: body?.seq });
    const link = String(doc?.content);
    expect(await (await fetch(link)).text()).toBe('the file');
    expect(link).toContain(`/files/${doc?.file}`);
    expect(body?.message).toMatch(new RegExp(`/files/${doc?.file}\\?`));
    const record = (await seenByOriginal({ id: body?.id })).find(({ id }) => id === body?.id);
    expect(await (await fetch(String(record?.message))).text()).toBe('the file');
  });

  it('makes topics with one partition, because the original writes without keys', async () => {
    const admin = new Kafka({ brokers: [...cluster.kafka.brokers], clientId: 'test' }).admin();
    const { topics } = await admin.fetchTopicMetadata({ topics: [cluster.topic('DIRECT')] });
    await admin.disconnect();
    expect(topics.map(({ partitions }) => partitions.length)).toEqual([1]);
  });

  it('names topics with several partitions, and topics that do not exist, before the change', async () => {
    const [divided, missing] = [`${cluster.topic('STATE')}-divided`, `${cluster.topic('STATE')}-missing`];
    const admin = new Kafka({ brokers: [...cluster.kafka.brokers], clientId: 'test' }).admin();
    await admin.createTopics({ topics: [{ topic: divided, numPartitions: 2 }] });
    await admin.disconnect();
    const [code, problems] = await migrate('--check', { KAFKA_TOPIC_STATE: divided, KAFKA_TOPIC_FILE: missing });
    expect(code).toBe(1);
    expect(problems).toContain(`problem: 1 topics with several partitions (${divided})`);
    expect(problems).toContain(`problem: 1 topics that do not exist (${missing})`);
  });

  it('writes the members of a PUT into the cache of the original, and keeps one document of read times', async () => {
    const redis = new Redis(cluster.redis.url);
    const url = `${cluster.servers[0]?.url}/chat-server/room-user-list/${ROOM}`;
    const answer = await fetch(url, { method: 'PUT', body: '[1,2,3]' });
    expect([answer.status, await answer.text()]).toEqual([200, expect.anything()]);
    expect(await redis.get(`R${ROOM}`)).toBe('{"members":[1,2,3]}');
    redis.disconnect();
    await expect(original.leave(PLACE)).rejects.toMatchObject({ code: 11_000 });
  });

  it('numbers by a command what the original wrote while no server of ours listened', async () => {
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
    const [code, problems] = await migrate('--check');
    expect(code).toBe(1);
    expect(problems).toContain('problem: 1 member lists that are not valid');
    await redis.del('R51');
    redis.disconnect();
    const [, notes] = await migrate('--check');
    expect(notes).toContain('note: 2 messages without a number in directMessage: numbered when');
    expect(await migrate('--number')).toEqual([0, expect.stringContaining('; 2 events are new')]);
    expect(await migrate('--number')).toEqual([0, expect.stringContaining('; 0 events are new')]);
  });

  it('shows clients of the original no event twice that a killed server had marked, and loses none', async () => {
    const sender = await clientOf(1, 3);
    const contents = (name: string) => Array.from({ length: BURST }, (_, i) => `${name} ${i}`);
    const unmarked = () => database.db().collection('event').countDocuments({ p: PLACE, out: true });
    await Promise.all(contents('marked').map((content) => send(sender, content)));
    await vi.waitFor(async () => expect(await unmarked()).toBe(0), WAIT);
    await Promise.all(contents('burst').map((content) => send(sender, content)));
    await cluster.servers[1]?.kill();
    await vi.waitFor(async () => expect(await unmarked()).toBe(0), WAIT);
    const timesOf = (content: string) => shown.filter((record) => record.content === content).length;
    await vi.waitFor(() => {
      for (const content of contents('burst')) expect([1, 2]).toContain(timesOf(content));
    }, WAIT);
    expect(contents('marked').map(timesOf)).toEqual(contents('marked').map(() => 1));
    await cluster.servers[1]?.restart();
    const resumed = await numbered(await listen(1, 2, 0), 1);
    const again = resumed.filter(({ message }) => String(message).startsWith('burst'));
    expect(new Set(again.map(({ id }) => id)).size).toBe(BURST);
  });

  it('lets the original go on alone with everything, and warns at the next start that it was there', async () => {
    const sender = await clientOf(1, 3);
    for (const content of ['to edit', 'to delete', 'to keep']) await send(sender, content);
    await Promise.all(cluster.servers.map((server) => server.stop()));

    const history = await original.history(PLACE);
    const [edited, deleted, kept] = history.slice(-3);
    expect([edited?.content, deleted?.content, kept?.content]).toEqual(['to edit', 'to delete', 'to keep']);
    expect([edited?.userId, edited?.name]).toEqual([3, 'user3']);
    await original.edit(PLACE, String(edited?._id), 'edited alone');
    await original.remove(PLACE, String(deleted?._id));
    await original.reply(PLACE, 1, 'replied alone', { id: String(kept?._id), name: 'user3', message: 'to keep' });
    expect((await original.history(PLACE)).slice(-3).map(({ content }) => content)).toEqual([
      'edited alone',
      'to keep',
      'replied alone',
    ]);
    expect((await original.newest(PLACE))?.content).toBe('replied alone');

    const off = { FIRST_GENERATION: 'off' };
    const alone = await cluster.add({ env: off, nodeArgs: ['--import', LOADED_FILES] });
    const log = await readFile(alone.logFile, 'utf8');
    expect(log).toContain('messages of original servers may have no number');
    expect(log).toMatch(/loaded .*\/mongo\/message-store\.ts/);
    expect(log).not.toMatch(/loaded .*\/(first-generation\/|original-form\.ts)/);
    const client = await connectTo(alone.url);
    const room = await client.subscribe(`/topic/direct/${ROOM}`);
    await original.send(PLACE, 1, 'in which zone');
    await vi.waitFor(() => expect(room.bodies.at(-1)?.message).toBe('in which zone'), WAIT);
    const ahead = Date.parse(`${room.bodies.at(-1)?.time}Z`) - Date.now();
    expect(Math.round(ahead / HOUR_MS)).toBe(ZONE_HOURS);

    const latest = await client.subscribe(`/topic/direct/${ROOM}`, { lastSeq: 0 });
    await vi.waitFor(() => expect(latest.bodies.map(({ message }) => message)).toContain('to keep'), WAIT);
    const messages = () => latest.bodies.map(({ message }) => message);
    // No record told of the deletion.
    expect(messages()).toContain('to delete');
    expect(await migrate('--number', off)).toEqual([0, expect.stringContaining('; 4 events are new')]);
    const marks = database.db().collection('migration');
    expect(await marks.countDocuments()).toBe(0);
    const after = await client.subscribe(`/topic/direct/${ROOM}`, { lastSeq: 0 });
    const texts = () => after.bodies.map(({ message, type }) => message ?? type);
    await vi.waitFor(() => expect(texts().at(-1)).toBe('delete'), WAIT);
    expect(texts()).toEqual(expect.arrayContaining(['edited alone', 'replied alone', 'in which zone']));
    expect(texts()).not.toContain('to delete');
  });

  async function connectTo(url: string): Promise<StompClient> {
    const client = await StompClient.connect({ url, token: cluster.token(2), userId: 2 });
    clients.push(client);
    return client;
  }
});
