import type { PersonalEvent } from 'chat-server-client';
import { expect, it, onTestFinished } from 'vitest';
import { chatOn, memoryServer, pass, watched } from '../../support/client/chats.ts';
import type { MemoryServer } from '../../support/client/memory-server.ts';

const EVENTS = '/user/queue/events';
const sentTo = (server: MemoryServer, destination: string) =>
  server.frames.filter(({ headers }) => headers.destination === destination).map(({ body }) => JSON.parse(body));

it('knows the unread counts after a connect, and keeps them current', async () => {
  const server = memoryServer();
  server.places = [{ place: 'com-1' }, { place: 'r-5' }, { place: 'r-6' }];
  server.unread = [
    { place: 'r-5', count: 2, seq: 7 },
    { place: 'r-6', code: 2103 },
  ];
  const chat = chatOn(server);
  await pass();
  expect(server.calls).toContain('unread?places=r-5%2Cr-6');
  expect(chat.unread.getSnapshot()).toEqual(new Map([['r-5', { count: 2, seq: 7 }]]));
  server.broadcast(EVENTS, { type: 'unread', place: 'r-5', count: 3, seq: 8 });
  await pass();
  expect(chat.unread.getSnapshot().get('r-5')).toEqual({ count: 3, seq: 8 });
  server.broadcast(EVENTS, { type: 'left', place: 'r-5' });
  await pass();
  expect(chat.places.getSnapshot()).toHaveLength(3);
});

it('keeps a count that the server told while it was asked, since the answer is older', async () => {
  const server = memoryServer();
  server.places = [{ place: 'r-5' }];
  server.unread = [{ place: 'r-5', count: 2, seq: 7 }];
  const chat = chatOn(server);
  await pass();
  // A read mark of another device makes the client ask.
  server.broadcast(EVENTS, { type: 'read', place: 'r-5', seq: 7 });
  server.broadcast(EVENTS, { type: 'unread', place: 'r-5', count: 3, seq: 8 });
  await pass();
  expect(chat.unread.getSnapshot().get('r-5')).toEqual({ count: 3, seq: 8 });
});

it('counts live messages of others in a place that is watched, and none of the user', async () => {
  const server = memoryServer();
  server.places = [{ place: 'r-5' }];
  server.unread = [{ place: 'r-5', count: 0, seq: 0 }];
  const chat = chatOn(server);
  watched(chat.room(5));
  await pass();
  server.store('r-5', { type: 'message', message: 'one' });
  server.store('r-5', { type: 'message', message: 'own', userId: '1' });
  server.store('r-5', { type: 'modify', id: 'id-r-5-1', message: 'ONE' });
  await pass();
  expect(chat.unread.getSnapshot().get('r-5')?.count).toBe(1);
  chat.room(5).read();
  expect(chat.unread.getSnapshot().get('r-5')?.count).toBe(0);
  await pass();
  expect(sentTo(server, '/kafka/read')).toEqual([{ place: 'r-5', seq: 3 }]);
});

it('reports a read mark again after a reconnect until it is confirmed, and never an older one', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  await pass();
  server.isSilent = true;
  chat.room(5).read(7);
  chat.room(5).read(6);
  await pass();
  server.isSilent = false;
  server.cut();
  await pass(1_000);
  server.cut();
  await pass(1_000);
  expect(sentTo(server, '/kafka/read')).toEqual([
    { place: 'r-5', seq: 7 },
    { place: 'r-5', seq: 7 },
  ]);
});

it('asks for the count again when the user read the place on another device', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  await pass();
  server.unread = [{ place: 'r-5', count: 1, seq: 9 }];
  server.broadcast(EVENTS, { type: 'read', place: 'r-5', seq: 8 });
  await pass();
  expect(chat.unread.getSnapshot().get('r-5')).toEqual({ count: 1, seq: 9 });
});

it('reports where the user looks, also after a reconnect, and counts nothing there', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  await pass();
  chat.look('r-5');
  server.cut();
  await pass(1_000);
  expect(sentTo(server, '/kafka/join-channel')).toEqual([
    { channel_id: 'home' },
    { channel_id: 'r-5' },
    { channel_id: 'r-5' },
  ]);
  server.broadcast(EVENTS, { type: 'unread', place: 'r-5', count: 1, seq: 1 });
  await pass();
  expect(chat.unread.getSnapshot().get('r-5')?.count).toBe(0);
});

it('hands personal events to the application', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  const heard: PersonalEvent[] = [];
  const stop = chat.onPersonal((event) => heard.push(event));
  await pass();
  server.broadcast(EVENTS, { type: 'added', place: 'r-9' });
  await pass();
  stop();
  server.broadcast(EVENTS, { type: 'left', place: 'r-9' });
  await pass();
  expect(heard).toEqual([{ type: 'added', place: 'r-9' }]);
});

it('knows who is online, and looks a second time for those who were away for a moment', async () => {
  const server = memoryServer();
  server.online = ['1'];
  const presence = chatOn(server).presence('r-5');
  const stop = presence.subscribe(() => {});
  onTestFinished(stop);
  await pass();
  expect([...presence.getSnapshot()]).toEqual([1]);
  server.broadcast('/topic/direct/5', { type: 'connect', userId: '2' });
  await pass();
  expect([...presence.getSnapshot()]).toEqual([1, 2]);
  server.broadcast('/topic/direct/5', { type: 'disconnect', userId: '1' });
  await pass();
  expect([...presence.getSnapshot()]).toEqual([2]);
  server.online = ['1', '2'];
  await pass(3_000);
  expect([...presence.getSnapshot()]).toEqual([1, 2]);
});

it('asks who is online in a channel when somebody of its community comes or goes', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  chat.channel(1, 11);
  const presence = chat.presence('c-11');
  onTestFinished(presence.subscribe(() => {}));
  await pass(4_000);
  server.online = ['3'];
  server.broadcast('/topic/community/1', { type: 'connect', userId: '4' });
  await pass(500);
  expect([...presence.getSnapshot()]).toEqual([3]);
});

it('shares the subscription of a room between its view and its presence', async () => {
  const server = memoryServer();
  const chat = chatOn(server);
  const stop = chat.presence('r-5').subscribe(() => {});
  await pass();
  server.store('r-5', { type: 'message', message: 'before' });
  const events = watched(chat.room(5));
  await pass();
  server.store('r-5', { type: 'message', message: 'after' });
  await pass();
  expect(events.map(({ type }) => type)).toEqual(['ready', 'created']);
  stop();
  server.store('r-5', { type: 'message', message: 'later' });
  await pass();
  expect(events).toHaveLength(3);
});

it('shows who is in the voice channels, and enters again after a reconnect', async () => {
  const server = memoryServer();
  const voice = chatOn(server).voice(1);
  onTestFinished(voice.subscribe(() => {}));
  await pass();
  expect(sentTo(server, '/kafka/community-signaling')).toEqual([{ community_id: 1 }]);
  server.broadcast('/topic/community/1', { 11: ['3', '7'], 12: [] });
  server.broadcast('/topic/community/1', { type: 'out', communityId: '1', channelId: 'c-11', ids: ['7'] });
  await pass();
  expect(voice.getSnapshot()).toEqual(
    new Map([
      [11, [7]],
      [12, []],
    ]),
  );
  voice.enter(12);
  server.cut();
  await pass(1_000);
  const enter = { type: 'enter', community_id: 1, channel_id: 'c-12' };
  expect(sentTo(server, '/kafka/signaling')).toEqual([enter, enter]);
  expect(voice.entered).toBe(12);
  voice.leave();
  voice.leave();
  await pass();
  expect(sentTo(server, '/kafka/signaling').at(-1)).toEqual({ ...enter, type: 'leave' });
  expect(voice.entered).toBeNull();
});

it('asks for a fresh token when a call is refused for its token', async () => {
  const server = memoryServer();
  let calls = 0;
  server.callRefusal = (call) => (call === 'places?' && calls++ === 0 ? { code: 2102 } : null);
  server.places = [{ place: 'r-5' }];
  const chat = chatOn(server);
  await pass();
  expect(chat.places.getSnapshot()).toEqual([{ place: 'r-5' }]);
});
