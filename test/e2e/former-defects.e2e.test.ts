import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../dev/services/free-port.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { type RunningStandIns, startStandIns } from '../../neighbours/stand-ins/server.ts';
import { frameText } from '../../src/bootstrap/cli/load/stomp-frame.ts';
import { type EmbeddedSystem, startSystem, WORLD } from './system.ts';

const ERRORS = '/user/queue/errors';
const SEND = '/kafka/send-direct-message';

function connect({ url, token }: EmbeddedSystem, userId: number): Promise<StompClient> {
  return StompClient.connect({ url, token: token(userId), userId });
}

async function history({ url, token }: EmbeddedSystem, userId: number, place: string) {
  const response = await fetch(`${url}/chat-server/${place}`, { headers: { AUTHORIZATION: token(userId) } });
  const { result } = (await response.json()) as { result: Record<string, unknown>[] };
  return result;
}

describe('one server', () => {
  let system: EmbeddedSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('answers each frame that asks for a receipt with one, and no other frame', async () => {
    const client = await connect(system, 1);
    const { receipt, id } = await client.subscribe('/topic/direct/5');
    expect(receipt?.headers).toEqual({ 'receipt-id': expect.any(String), seq: '0' });
    const sent = await client.send(SEND, { channelId: 5, userId: 1, content: 'x' });
    expect(sent.headers).toMatchObject({ seq: '1', 'message-id': expect.stringMatching(/^[0-9a-f]{24}$/) });
    const typed = await client.send('/kafka/send-direct-typing', { channelId: 5, content: 'user1', type: 'typing' });
    expect(Object.keys(typed.headers)).toEqual(['receipt-id']);
    client.tell(SEND, { channelId: 5, userId: 1, content: 'no receipt' });
    await client.unsubscribe(id);
    expect(client.frames.filter(({ command }) => command === 'RECEIPT')).toHaveLength(4);
    await client.close();
  });

  it.each([
    ['a room of others', '/topic/direct/99', '2103'],
    ['a channel of chosen members', '/topic/group/12', '2103'],
    ['a community of others', '/topic/community/2', '2103'],
    ['a pattern', '/topic/**', '2100'],
    ['a pattern of rooms', '/topic/direct/*', '2100'],
    ['the queue of another', '/user/2/queue/errors', '2100'],
  ])('refuses a subscription to %s', async (_what, destination, code) => {
    const client = await connect(system, 1);
    const errors = await client.subscribe(ERRORS);
    const subscribing = client.subscribe(destination, { id: 'spy' });
    await expect(subscribing).rejects.toThrow('refused: ');
    const [refusal] = await errors.atLeast(1);
    expect(refusal).toMatchObject({ subscription: 'spy' });
    expect([code, '2103']).toContain(String(refusal?.code));
    await client.close();
  });

  it('refuses a message to a room by somebody who is not a member', async () => {
    const client = await connect(system, 1);
    await client.subscribe(ERRORS);
    await expect(client.send(SEND, { channelId: 99, userId: 1, content: 'x' })).rejects.toThrow('"code":2103');
    await client.close();
  });

  it('reports a refusal by an ERROR with the receipt id, and closes, if the client has no subscription to the errors queue', async () => {
    const client = await connect(system, 1);
    await expect(client.send(SEND, '{bad')).rejects.toThrow('"code":2100');
    expect(await client.closed).toMatchObject({ code: 1002 });
    expect(client.frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { 'receipt-id': expect.any(String) } });
  });

  it('handles the frames of a session in order: UNSUBSCRIBE before SUBSCRIBE, messages as they were sent', async () => {
    const client = await connect(system, 1);
    const receipts: Promise<unknown>[] = [];
    for (let turn = 0; turn < 50; turn += 1) {
      const subscribed = client.subscribe('/topic/direct/7', { id: 'same' });
      receipts.push(subscribed);
      if (turn < 49) client.raw(frameText('UNSUBSCRIBE', { id: 'same' }));
    }
    for (let turn = 0; turn < 200; turn += 1) client.tell(SEND, { channelId: 7, userId: 1, content: `${turn}` });
    await Promise.all(receipts);
    const heard = () => client.frames.filter(({ command }) => command === 'MESSAGE');
    while (heard().length < 200) await client.next(() => true);
    expect(heard().map(({ body }) => JSON.parse(body).message)).toEqual(Array.from({ length: 200 }, (_, n) => `${n}`));
    expect(heard().map(({ headers }) => headers.seq)).toEqual(Array.from({ length: 200 }, (_, n) => `${n + 1}`));
    await client.close();
  });

  it('reports one disconnect when a user closes the last tab, and none when a tab is closed or reloaded before', async () => {
    const watcher = await connect(system, 1);
    const room = await watcher.subscribe('/topic/direct/6');
    const tabs = [await connect(system, 4), await connect(system, 4)];
    await room.next(({ type, userId }) => type === 'connect' && userId === '4');
    await tabs[0]?.cut();
    // This disconnect comes later than a disconnect of the closed tab would have come.
    const others = await watcher.subscribe('/topic/direct/8');
    await (await connect(system, 2)).cut();
    await others.next(({ type }) => type === 'disconnect');
    expect(room.bodies.filter(({ type }) => type === 'disconnect')).toEqual([]);
    const online = await fetch(`${system.url}/chat-server/online?place=r-6`, {
      headers: { AUTHORIZATION: system.token(1) },
    });
    expect(((await online.json()) as { result: string[] }).result.sort()).toEqual(['1', '4']);
    await tabs[1]?.cut();
    // This is what a reload of a page does.
    const reloaded = await connect(system, 4);
    await reloaded.cut();
    await room.next(({ type }) => type === 'disconnect');
    const again = await connect(system, 4);
    await room.atLeast(2, ({ type }) => type === 'connect');
    expect(room.bodies.map(({ type, userId }) => `${type} ${userId}`).filter((text) => text.endsWith('4'))).toEqual([
      'connect 4',
      'disconnect 4',
      'connect 4',
    ]);
    await Promise.all([again.close(), watcher.close()]);
  });

  it('shows the history although the directory does not know an author', async () => {
    const client = await connect(system, 4);
    await client.send(SEND, { channelId: 6, userId: 4, content: 'I am new' });
    expect(await history(system, 1, 'direct?ch_id=6')).toMatchObject([{ name: 'user 4', message: 'I am new' }]);
    await client.close();
  });

  it('closes a connection that sends something other than STOMP, and no other connection', async () => {
    const neighbour = await connect(system, 1);
    const broken = await StompClient.open({ url: system.url });
    broken.raw('\u0001\u0002\0');
    expect(await broken.closed).toMatchObject({ code: 1002 });
    await neighbour.send(SEND, { channelId: 5, userId: 1, content: 'still here' });
    await neighbour.close();
  });
});

describe('with a user service', () => {
  let standIns: RunningStandIns;
  let system: EmbeddedSystem;
  beforeAll(async () => {
    standIns = await startStandIns({ directory: WORLD });
    system = await startSystem({ USER_URL: standIns.userUrl });
  });
  afterAll(async () => {
    await system.stop();
    await standIns.stop();
  });

  it('shows the names and pictures of the user service in the history, also for the author of a parent', async () => {
    const [ada, bob] = [await connect(system, 1), await connect(system, 2)];
    const own = { channelId: 5, name: 'somebody else', profileImage: 'forged' };
    const sent = await ada.send(SEND, { ...own, userId: 1, content: 'hello' });
    const parent = { parentId: sent.headers['message-id'], parentName: 'forged', parentContent: 'forged' };
    await bob.send('/kafka/send-direct-reply', { ...own, ...parent, userId: 2, content: 're', type: 'reply' });
    const entries = await history(system, 1, 'direct?ch_id=5');
    expect(entries).toMatchObject([
      { name: 'user1', profileImage: 'http://img/1.png', message: 'hello' },
      { name: 'user2', profileImage: 'http://img/2.png', message: 're', parentName: 'user1', parentContent: 'hello' },
    ]);
    await Promise.all([ada.close(), bob.close()]);
  });

  it('shows the history although the user service does not know an author', async () => {
    const client = await connect(system, 4);
    await client.send(SEND, { channelId: 6, userId: 4, content: 'I am new' });
    const entries = await history(system, 1, 'direct?ch_id=6');
    expect(entries).toMatchObject([{ name: expect.stringMatching(/./), message: 'I am new', profileImage: null }]);
    await client.close();
  });

  it('shows a user whom the user service does not know under the claimed name or the id, never under the account of the token', async () => {
    const [unknown, ada] = [await connect(system, 4), await connect(system, 1)];
    const room = await ada.subscribe('/topic/direct/6');
    for (const name of ['Mag', null, '']) await unknown.send(SEND, { channelId: 6, userId: 4, name, content: 'x' });
    await unknown.send('/kafka/send-direct-typing', { channelId: 6, content: 'Mag', type: 'typing' });
    const shown = await room.atLeast(4, ({ name }) => name !== undefined);
    expect(shown.map(({ name }) => name)).toEqual(['Mag', 'user 4', 'user 4', 'Mag']);
    const entries = await history(system, 1, 'direct?ch_id=6&size=3');
    expect(entries.map(({ name }) => name)).toEqual(['Mag', 'user 4', 'user 4']);
    await Promise.all([unknown.close(), ada.close()]);
  });
});

describe('while all neighbour services are down', () => {
  it('stores and delivers messages at once while all neighbour services are down', async () => {
    // One neighbour refuses connections. The others accept them and never answer.
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const system = await startSystem({
      PRESENCE_URL: `tcp://127.0.0.1:${await freePort()}`,
      NOTIFICATION_URL: `http://127.0.0.1:${port}`,
      USER_URL: `http://127.0.0.1:${port}`,
      REDIS_URL: `redis://127.0.0.1:${port}`,
    });
    try {
      const [ada, bob] = await Promise.all([connect(system, 1), connect(system, 2)]);
      const room = await bob.subscribe('/topic/direct/5');
      await ada.send(SEND, { channelId: 5, userId: 1, content: 'first' });
      const began = performance.now();
      await ada.send(SEND, { channelId: 5, userId: 1, content: 'second' });
      expect(performance.now() - began).toBeLessThan(1_000);
      await room.next(({ message }) => message === 'second');
      await ada.send('/kafka/join-channel', { type: 'state', user_id: 1, channel_id: 'r-5' });
      expect(await history(system, 1, 'direct?ch_id=5')).toMatchObject([{ message: 'first' }, { message: 'second' }]);
      await Promise.all([ada.close(), bob.close()]);
    } finally {
      await system.stop();
      silent.close();
    }
  });
});
