import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import type { StompClient, StompSubscription } from '../../dev/stomp-client.ts';

const SERVERS = 3;
const PUBLISHERS = 6;
const EACH = 50;
const ALL = PUBLISHERS * EACH;
const MEMBERS = Array.from({ length: PUBLISHERS }, (_, index) => index + 1);
const EVENTS = '/user/queue/events';
const ROOM = 40;
const COMMUNITY = 4;
const CHANNEL = 44;
/** A user who connects in one test only. */
const VISITOR = 7;
/** A disconnect is reported everywhere after a grace period of 2 s. */
const DISCONNECT_WAIT = { timeout: 10_000, interval: 100 };

/** One room and one community that all publishers share. */
const DIRECTORY = {
  users: Object.fromEntries([...MEMBERS, VISITOR].map((id) => [String(id), { name: `name${id}`, image: null }])),
  rooms: { [ROOM]: MEMBERS, 41: [1, 2], 42: [1, 2], 43: [1, VISITOR] },
  communities: { [COMMUNITY]: { members: MEMBERS, channels: { [CHANNEL]: null } } },
};

await describeWithService(['kafka', 'mongo', 'redis'], 'three servers on Kafka, MongoDB and Redis', () => {
  let cluster: Cluster;
  const clients: StompClient[] = [];

  beforeAll(async () => {
    cluster = await startCluster({ servers: SERVERS, env: { LIMITS: 'off' }, directory: DIRECTORY });
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await cluster?.stop();
  });

  async function client(server: number, userId: number): Promise<StompClient> {
    const one = await cluster.client(server, userId);
    clients.push(one);
    return one;
  }

  const as = (userId: number) => ({ headers: { AUTHORIZATION: cluster.token(userId) } });
  const call = async (server: number, path: string, userId: number): Promise<{ result: never[] }> =>
    (await fetch(`${cluster.servers[server]?.url}/chat-server/${path}`, as(userId))).json() as Promise<{
      result: never[];
    }>;

  it('sends personal events of a room and a channel to listeners on other servers', async () => {
    const [listener, other, sender] = [await client(0, 2), await client(1, 2), await client(2, 1)];
    const [events, others] = [await listener.subscribe(EVENTS), await other.subscribe(EVENTS)];
    const message = { userId: 1, name: 'name1', profileImage: null, content: 'x' };
    await sender.send('/kafka/send-direct-message', { channelId: 41, ...message });
    const unread = { type: 'unread', place: 'r-41', count: 1, seq: 1 };
    expect([await events.atLeast(1), await others.atLeast(1)]).toEqual([[unread], [unread]]);
    await other.send('/kafka/read', { place: 'r-41', seq: 1 });
    expect((await events.atLeast(2)).slice(1)).toEqual([{ type: 'read', place: 'r-41', seq: 1 }]);
    expect((await call(2, 'unread?places=r-41', 2)).result).toEqual([{ place: 'r-41', count: 0, seq: 1 }]);
    await fetch(`${cluster.servers[2]?.url}/chat-server/room-user-list/45`, { method: 'PUT', body: '[1,2]' });
    expect((await events.atLeast(3)).slice(2)).toEqual([{ type: 'added', place: 'r-45' }]);
    expect(others.bodies.filter(({ type }) => type === 'read')).toEqual([]);
  });

  const kinds = [
    { kind: 'room', topic: `/topic/direct/${ROOM}`, sends: 'direct', place: ROOM, history: 'direct' },
    { kind: 'channel', topic: `/topic/group/${CHANNEL}`, sends: 'channel', place: CHANNEL, history: 'community' },
  ] as const;

  describe.each(kinds)('many messages into one $kind from three servers', ({ topic, sends, place, history }) => {
    const heard: StompSubscription[] = [];

    beforeAll(async () => {
      const publishers = await Promise.all(MEMBERS.map((id) => client(id % SERVERS, id)));
      const listeners = await Promise.all(MEMBERS.map((id) => client((id + 1) % SERVERS, id)));
      for (const one of [...publishers, ...listeners]) heard.push(await one.subscribe(topic));
      await Promise.all(
        publishers.map(async (publisher, index) => {
          const userId = index + 1;
          for (let n = 0; n < EACH; n += 1) {
            const body = {
              channelId: place,
              communityId: COMMUNITY,
              userId,
              name: `name${userId}`,
              profileImage: null,
            };
            await publisher.send(`/kafka/send-${sends}-message`, { ...body, content: `${userId}:${n}` });
          }
        }),
      );
      await Promise.all(heard.map((one) => one.atLeast(ALL, ({ type }) => type === 'message')));
    });

    it('delivers every message once to each subscriber on each server, in the order of their numbers', () => {
      const numbers = Array.from({ length: ALL }, (_, index) => index + 1);
      const first = heard[0]?.bodies.filter(({ type }) => type === 'message');
      expect(heard).toHaveLength(2 * PUBLISHERS);
      for (const { bodies } of heard) {
        const messages = bodies.filter(({ type }) => type === 'message');
        expect(messages.map(({ seq }) => seq)).toEqual(numbers);
        expect(messages).toEqual(first);
      }
      const texts = first?.map(({ message }) => String(message)) ?? [];
      expect(new Set(texts).size).toBe(ALL);
      for (const id of MEMBERS) {
        const own = texts.filter((text) => text.startsWith(`${id}:`));
        expect(own).toEqual(Array.from({ length: EACH }, (_, n) => `${id}:${n}`));
      }
    });

    it('shows the same messages in the history of each server', async () => {
      const live = heard[0]?.bodies
        .filter(({ type }) => type === 'message')
        .map(({ id, message }) => ({ id, message }));
      for (const server of cluster.servers.keys()) {
        const pages = [];
        for (const page of [1, 0]) {
          const { result } = await call(server, `${history}?ch_id=${place}&page=${page}&size=150`, 1);
          pages.push(...result.map(({ id, message }) => ({ id, message })));
        }
        expect(pages).toEqual(live);
      }
    });
  });

  it('serves a file that was uploaded to another server, by the link that a third server shows', async () => {
    const [one, two, three] = cluster.servers;
    const third = await client(2, 2);
    const topic = await third.subscribe('/topic/direct/41');
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
    const form = new FormData();
    const fields = { userId: '1', name: 'name1', profileImage: '', channelId: '41', type: 'direct', fileType: 'file' };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('image', new Blob([bytes]), 'bytes.bin');
    const answer = await fetch(`${one?.url}/chat-server/file`, { method: 'POST', body: form, ...as(1) });
    const { result } = (await answer.json()) as { result: { message: string; seq: number } };
    const shown = await topic.next(({ fileType }) => fileType === 'file');
    expect(shown).toMatchObject({ type: 'direct', channelId: 41, userId: '1', seq: result.seq });
    const link = String(shown.message);
    expect(link.startsWith(`${three?.url}/chat-server/files/`)).toBe(true);
    const elsewhere = await fetch(link.replace(String(three?.url), String(two?.url)));
    expect(elsewhere.status).toBe(200);
    expect(new Uint8Array(await elsewhere.arrayBuffer())).toEqual(bytes);
  });

  it('refuses to start a second server with the same SERVER_ID, and the first one continues', async () => {
    await expect(cluster.add({ id: 'chat-2' })).rejects.toThrow(/ended \(exit code 1\).*chat-2/s);
    expect(await cluster.servers[1]?.isReady()).toBe(true);
    const listener = await client(0, 1);
    const topic = await listener.subscribe('/topic/direct/42');
    const author = await client(1, 2);
    await author.send('/kafka/send-direct-message', { channelId: 42, userId: 2, name: 'name2', content: 'still here' });
    await topic.next(({ message }) => message === 'still here');
  });

  it('delivers typing, connect and disconnect across servers, and keeps a user online while a second session lives', async () => {
    const online = () => call(0, 'online?place=r-43', 1).then(({ result }) => result);
    const listener = await client(0, 1);
    await vi.waitFor(async () => expect(await online()).toEqual(['1']), DISCONNECT_WAIT);
    const room = await listener.subscribe('/topic/direct/43');
    const first = await cluster.client(1, VISITOR);
    await room.next(({ type, userId }) => type === 'connect' && userId === '7');
    await first.send('/kafka/send-direct-typing', { content: 'name7', channelId: 43, type: 'typing' });
    await room.next(({ type, name }) => type === 'typing' && name === 'name7');
    const second = await cluster.client(2, VISITOR);
    await vi.waitFor(async () => expect(await online()).toEqual(['1', '7']), DISCONNECT_WAIT);
    await first.close();
    // The grace period is over by then, so the end of the first session would have been reported.
    await expect(room.next(({ type }) => type === 'disconnect', 3_000)).rejects.toThrow('no such frame');
    expect(await online()).toEqual(['1', '7']);
    await second.close();
    await room.next(({ type, userId }) => type === 'disconnect' && userId === '7');
    await vi.waitFor(async () => expect(await online()).toEqual(['1']), DISCONNECT_WAIT);
  });

  it('counts messages of one server as unread on another until the reader opens the room on any server', async () => {
    const reader = await client(1, 2);
    const author = await client(0, 1);
    const unread = (server: number) =>
      call(server, 'unread?places=r-41', 2).then(({ result: [entry] }) => entry as unknown as { count: number });
    await reader.send('/kafka/join-channel', { type: 'state', user_id: 2, channel_id: 'r-41' });
    await reader.send('/kafka/join-channel', { type: 'state', user_id: 2, channel_id: 'home' });
    const say = () =>
      author.send('/kafka/send-direct-message', { channelId: 41, userId: 1, name: 'name1', content: 'news' });
    await say();
    await say();
    expect((await unread(2)).count).toBe(2);
    await reader.send('/kafka/join-channel', { type: 'state', user_id: 2, channel_id: 'r-41' });
    expect((await unread(2)).count).toBe(0);
  });
});
