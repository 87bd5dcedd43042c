import { expect } from 'vitest';
import type { Directory } from '../../../neighbours/stand-ins/directory.ts';
import type { ChatSystem } from '../system.ts';
import { Ear } from './ear.ts';
import { type Connect, Talker } from './talker.ts';

/** Two users and the places that only they share. */
export interface Pair {
  readonly ada: number;
  readonly bob: number;
  readonly room: number;
  readonly community: number;
  readonly channel: number;
}

/** @param index from 1 */
export function pairOf(index: number): Pair {
  return { ada: 2 * index, bob: 2 * index + 1, room: index, community: index, channel: 10 + index };
}

/** A directory with this many pairs. */
export function worldOf(pairs: number): Directory {
  const world: Directory = { users: {}, rooms: {}, communities: {} };
  for (let index = 1; index <= pairs; index += 1) {
    const { ada, bob, room, community, channel } = pairOf(index);
    for (const user of [ada, bob]) world.users[user] = { name: `user${user}`, image: null };
    world.rooms[room] = [ada, bob];
    world.communities[community] = { members: [ada, bob], channels: { [channel]: null } };
  }
  return world;
}

const ODD = '안녕 "q" \\ \n \u2028 <b> 😀 : é '.repeat(100);

/** Connects a user to the server number `at`. */
export async function enter(system: ChatSystem, connect: Connect, at: number, userId: number): Promise<Talker> {
  const url = system.urls[at % system.urls.length] ?? '';
  const ear = new Ear();
  return new Talker(await connect({ url, token: system.token(userId), userId, ear }), ear);
}

/**
 * A conversation with everything that two users can do: message, reply, edit, deletion, typing, a
 * file, voice, a refusal, connect and disconnect, and a resume. If there are several servers, the
 * users are on different ones.
 */
export async function converse(system: ChatSystem, connect: Connect, pair: Pair, at = 0): Promise<void> {
  const { channel, community, room } = pair;
  const direct = `/topic/direct/${room}`;
  const people = `/topic/community/${community}`;
  const own = (userId: number) => ({ channelId: room, userId, name: `user${userId}`, profileImage: null });

  const bob = await enter(system, connect, at + 1, pair.bob);
  expect(await bob.subscribe(direct, 'room-of-two')).toMatchObject({ seq: '0' });
  await bob.subscribe(`/topic/group/${channel}`, 'channel');
  await bob.subscribe(people, 'people');
  await bob.subscribe('/user/queue/errors', 'errors');
  const ada = await enter(system, connect, at, pair.ada);
  await ada.subscribe(direct, 'room');
  await ada.subscribe(people, 'people');
  await bob.ear.next(people, { type: 'connect', userId: String(pair.ada) });
  await bob.ear.next(direct, { type: 'connect', userId: String(pair.ada) });

  const sent = await ada.send('/kafka/send-direct-message', { ...own(pair.ada), content: ODD });
  expect(sent).toMatchObject({ seq: '1', 'message-id': expect.stringMatching(/^[0-9a-f]{24}$/) });
  const id = sent['message-id'] ?? '';
  const message = await bob.ear.next(direct, { type: 'message', id, message: ODD, userId: String(pair.ada), seq: 1 });
  expect(message.headers).toMatchObject({
    seq: '1',
    subscription: 'room-of-two',
    'content-type': 'text/plain;charset=UTF-8',
    'message-id': expect.stringMatching(/./),
  });

  await bob.send('/kafka/send-direct-typing', { channelId: room, content: `user${pair.bob}`, type: 'typing' });
  await ada.ear.next(direct, { type: 'typing', name: `user${pair.bob}` });

  const parent = { parentId: id, parentName: `user${pair.ada}`, parentContent: ODD };
  await bob.send('/kafka/send-direct-reply', { ...own(pair.bob), ...parent, content: 're', type: 'reply' });
  await ada.ear.next(direct, {
    type: 'reply',
    message: 're',
    parentName: parent.parentName,
    parentContent: ODD,
    seq: 2,
  });

  await ada.send('/kafka/send-direct-modify', { ...own(pair.ada), id, content: 'edited', type: 'modify' });
  await bob.ear.next(direct, { type: 'modify', id, message: 'edited', time: message.body.time, seq: 3 });

  await expectRefusal(bob, { ...own(pair.bob), id, content: 'not mine', type: 'modify' }, 2112);

  const link = await upload(system, at, pair);
  const file = await bob.ear.next(direct, { type: 'direct', fileType: 'file', seq: 4 });
  for (const each of [link, String(file.body.message)]) expect(await (await fetch(each)).text()).toBe('a file');

  const inChannel = { ...own(pair.ada), communityId: community, channelId: channel };
  await ada.send('/kafka/send-channel-message', { ...inChannel, content: 'to all' });
  await bob.ear.next(`/topic/group/${channel}`, { type: 'message', message: 'to all', seq: 1 });

  const voice = { type: 'enter', user_id: pair.ada, community_id: community, channel_id: `c-${channel}` };
  await ada.send('/kafka/signaling', voice);
  await bob.ear.next(people, { [channel]: [String(pair.ada)] });
  await bob.send('/kafka/community-signaling', { type: 'before-enter', user_id: pair.bob, community_id: community });

  await ada.send('/kafka/send-direct-delete', { ...own(pair.ada), id, type: 'delete' });
  await bob.ear.next(direct, { type: 'delete', id, seq: 5 });

  bob.unsubscribe('channel');
  // A session's frames are handled in order.
  await bob.send('/kafka/send-direct-typing', { channelId: room, content: `user${pair.bob}`, type: 'typing' });
  await ada.send('/kafka/send-channel-message', { ...inChannel, content: 'to nobody' });
  const newest = String(numbers(bob, direct).at(-1));
  await bob.leave();
  await ada.ear.next(people, { type: 'disconnect', userId: String(pair.bob) });
  await ada.ear.next(direct, { type: 'disconnect', userId: String(pair.bob) });
  for (const content of ['one', 'two', 'three']) {
    await ada.send('/kafka/send-direct-message', { ...own(pair.ada), content });
  }
  const back = await enter(system, connect, at + 2, pair.bob);
  const resumed = await back.subscribe(direct, 'again', { 'last-seq': newest });
  expect(resumed).toMatchObject({ seq: '8' });
  await ada.send('/kafka/send-direct-message', { ...own(pair.ada), content: 'four' });
  await back.ear.next(direct, { type: 'message', message: 'four', seq: 9 });

  expect(numbers(bob, direct)).toEqual([1, 2, 3, 4, 5]);
  expect(bob.ear.heard.filter(({ headers }) => headers.subscription === 'channel')).toHaveLength(1);
  expect(numbers(back, direct)).toEqual([6, 7, 8, 9]);
  await ada.ear.next(direct, { seq: 9 });
  expect(numbers(ada, direct)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await Promise.all([ada.leave(), back.leave()]);
}

/** The numbers of all events of a destination, in the order of delivery. */
function numbers({ ear }: Talker, destination: string): number[] {
  const there = ear.heard.filter(({ headers }) => headers.destination === destination && headers.seq !== undefined);
  return there.map(({ headers }) => Number(headers.seq));
}

async function expectRefusal(talker: Talker, body: object, code: number): Promise<void> {
  talker.tell('/kafka/send-direct-modify', body, { receipt: 'refused-please' });
  const { headers } = await talker.ear.next('/user/queue/errors', { code, 'receipt-id': 'refused-please' });
  expect(headers.subscription).toBe('errors');
}

/** Uploads a file as Ada. Resolves to its link. */
async function upload(system: ChatSystem, at: number, { ada, room }: Pair): Promise<string> {
  const form = new FormData();
  const fields = {
    userId: ada,
    name: `user${ada}`,
    profileImage: '',
    channelId: room,
    type: 'direct',
    fileType: 'file',
  };
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  form.set('image', new Blob(['a file']), 'notes.txt');
  const response = await fetch(`${system.urls[at % system.urls.length]}/chat-server/file`, {
    method: 'POST',
    headers: { AUTHORIZATION: `Bearer ${system.token(ada)}` },
    body: form,
  });
  const { result } = (await response.json()) as { result: { message: string } };
  return result.message;
}
