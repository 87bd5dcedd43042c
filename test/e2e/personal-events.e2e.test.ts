import { afterAll, beforeAll, expect, it } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const EVENTS = '/user/queue/events';
const SEND = '/kafka/send-direct-message';

let system: EmbeddedSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

function connect(userId: number): Promise<StompClient> {
  return StompClient.connect({ url: system.url, token: system.token(userId), userId });
}

async function replaceMembers(roomId: number, members: readonly number[]): Promise<void> {
  const url = `${system.url}/chat-server/room-user-list/${roomId}`;
  await fetch(url, { method: 'PUT', body: JSON.stringify(members) });
}

it('sends unread events to a client that subscribed to them, and none to a client that did not', async () => {
  const [listener, old, sender] = [await connect(1), await connect(1), await connect(2)];
  const events = await listener.subscribe(EVENTS);
  expect(events.receipt?.headers).toEqual({ 'receipt-id': expect.any(String) });
  await sender.send(SEND, { channelId: 5, userId: 2, content: 'hello' });
  expect(await events.atLeast(1)).toEqual([{ type: 'unread', place: 'r-5', count: 1, seq: 1 }]);
  const frame = listener.frames.find(({ command }) => command === 'MESSAGE');
  expect(frame?.headers).toEqual({
    destination: EVENTS,
    'content-type': 'text/plain;charset=UTF-8',
    subscription: events.id,
    'message-id': expect.any(String),
    'content-length': expect.any(String),
  });
  const room = await old.subscribe('/topic/direct/5');
  await sender.send(SEND, { channelId: 5, userId: 2, content: 'again' });
  await room.atLeast(1);
  await events.atLeast(2);
  expect(old.frames.filter(({ headers }) => headers.destination === EVENTS)).toEqual([]);
  await Promise.all([listener.close(), old.close(), sender.close()]);
});

it('sends no unread event for a place to which the connection is subscribed', async () => {
  const [listener, sender] = [await connect(1), await connect(2)];
  const events = await listener.subscribe(EVENTS);
  const room = await listener.subscribe('/topic/direct/7');
  await sender.send(SEND, { channelId: 7, userId: 2, content: 'seen' });
  await room.atLeast(1);
  await sender.send(SEND, { channelId: 8, userId: 2, content: 'not seen' });
  expect(await events.atLeast(1)).toMatchObject([{ type: 'unread', place: 'r-8' }]);
  await listener.unsubscribe(room.id);
  await sender.send(SEND, { channelId: 7, userId: 2, content: 'not seen' });
  expect(await events.atLeast(2)).toMatchObject([{}, { type: 'unread', place: 'r-7', seq: 2 }]);
  await Promise.all([listener.close(), sender.close()]);
});

it('sends added and left events when the community service reports a list', async () => {
  const listener = await connect(3);
  const events = await listener.subscribe(EVENTS);
  await replaceMembers(9, [1, 2, 3]);
  expect(await events.atLeast(1)).toEqual([{ type: 'added', place: 'r-9' }]);
  await replaceMembers(9, [1, 2]);
  expect(await events.atLeast(2)).toEqual([
    { type: 'added', place: 'r-9' },
    { type: 'left', place: 'r-9' },
  ]);
  await listener.close();
});

it('keeps a repeated subscription to the events as it is, and ends it with the last UNSUBSCRIBE', async () => {
  const [listener, sender] = [await connect(1), await connect(2)];
  await listener.subscribe(EVENTS, { id: 'one' });
  const events = await listener.subscribe(EVENTS, { id: 'one' });
  const second = await listener.subscribe(EVENTS, { id: 'two' });
  await sender.send(SEND, { channelId: 9, userId: 2, content: 'to both' });
  await Promise.all([events.atLeast(1), second.atLeast(1)]);
  const heard = () => listener.frames.filter(({ headers }) => headers.destination === EVENTS).length;
  expect(heard()).toBe(2);
  await listener.unsubscribe('one');
  await listener.unsubscribe('two');
  const witness = await connect(1);
  const others = await witness.subscribe(EVENTS);
  await sender.send(SEND, { channelId: 9, userId: 2, content: 'to the witness' });
  await others.atLeast(1);
  expect(heard()).toBe(2);
  await Promise.all([listener.close(), sender.close(), witness.close()]);
});

it('reports in other sessions what the user has read by /kafka/read, and counts from there', async () => {
  const system = await startSystem();
  const as = (userId: number) => StompClient.connect({ url: system.url, token: system.token(userId), userId });
  const [reader, other, sender] = [await as(1), await as(1), await as(2)];
  for (const text of ['one', 'two', 'three']) await sender.send(SEND, { channelId: 5, userId: 2, content: text });
  const own = await reader.subscribe(EVENTS);
  const events = await other.subscribe(EVENTS);
  const receipt = await reader.send('/kafka/read', { place: 'r-5', seq: 2 });
  expect(Object.keys(receipt.headers)).toEqual(['receipt-id']);
  expect(await events.atLeast(1)).toEqual([{ type: 'read', place: 'r-5', seq: 2 }]);
  await reader.send('/kafka/read', { place: 'r-5', seq: '1' });
  expect(await events.atLeast(2)).toMatchObject([{}, { type: 'read', place: 'r-5', seq: 2 }]);
  expect(own.bodies).toEqual([]);
  const response = await fetch(`${system.url}/chat-server/unread?places=r-5`, {
    headers: { AUTHORIZATION: system.token(1) },
  });
  expect(await response.json()).toMatchObject({ result: [{ place: 'r-5', count: 1, seq: 3 }] });
  await reader.subscribe('/user/queue/errors');
  await expect(reader.send('/kafka/read', { place: 'r-99', seq: 1 })).rejects.toThrow('"code":2103');
  await expect(reader.send('/kafka/read', { place: 'com-1', seq: 1 })).rejects.toThrow('"code":2100');
  await system.stop();
});
