import { afterAll, beforeAll, expect, it } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { EVENT_SCHEMAS } from '../../scripts/specs/event-schemas.ts';
import { FRAMES } from '../../scripts/specs/frames.ts';
import { CALLS } from '../../scripts/specs/openapi.ts';
import { SEND_TABLE } from '../../scripts/specs/send-schemas.ts';
import { type RecordedSystem, startRecordedSystem } from './recorded-system.ts';
import { PROGRAM, typedProgram } from './typed-client.ts';

const ADMIN_TOKEN = 'a-token-of-operations-of-32-chars';
const ROOM = '/topic/direct/5';
const COMMUNITY = '/topic/community/1';
/** Calls that other tests make: those of SockJS, and the files of the demo page. */
const ELSEWHERE = (who: string, name: string): boolean => who === 'sockjs' || name === 'page';

let system: RecordedSystem;
beforeAll(async () => {
  system = await startRecordedSystem({ ADMIN_TOKENS: `ops:${ADMIN_TOKEN}`, DEMO: 'on' });
});
afterAll(() => system.stop());

function connect(userId: number): Promise<StompClient> {
  return StompClient.connect({ url: system.url, token: system.token(userId), userId });
}

interface Entry {
  readonly fileType: string | null;
  readonly message: string;
}

/** Makes a call as a user, or as a service. */
async function call(method: string, path: string, body?: unknown, userId?: number): Promise<Response> {
  const headers: Record<string, string> = userId === undefined ? {} : { authorization: system.token(userId) };
  const form = body instanceof FormData || body === undefined ? body : JSON.stringify(body);
  const response = await fetch(`${system.url}${path}`, { method, headers, body: form ?? null });
  expect([path, response.status]).toEqual([path, 200]);
  return response;
}

function form(fields: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append('image', new Blob(['some text']), 'notes.txt');
  return data;
}

it('covers every SEND and every body of a MESSAGE in a conversation', async () => {
  const bob = await connect(2);
  const room = await bob.subscribe(ROOM);
  const community = await bob.subscribe(COMMUNITY);
  const events = await bob.subscribe('/user/queue/events');
  const errors = await bob.subscribe('/user/queue/errors');
  const channel = await bob.subscribe('/topic/group/11');
  const ada = await connect(1);
  await community.next(({ type, userId }) => type === 'connect' && userId === '1');

  for (const [kind, at] of [
    ['direct', { channelId: 5 }],
    ['channel', { communityId: 1, channelId: '11' }],
  ] as const) {
    const { headers } = await ada.send(`/kafka/send-${kind}-message`, { ...at, content: 'Hello', nonce: `n-${kind}` });
    const id = headers['message-id'];
    await ada.send(`/kafka/send-${kind}-reply`, { ...at, content: 'Hi', parentId: id, userId: 1 });
    await ada.send(`/kafka/send-${kind}-modify`, { ...at, content: 'Hello, Grace', id });
    await ada.send(`/kafka/send-${kind}-typing`, { ...at, content: 'Ada' });
    await ada.send(`/kafka/send-${kind}-delete`, { ...at, id });
  }
  await room.next(({ type }) => type === 'delete');
  await channel.next(({ type }) => type === 'delete');

  const voice = { community_id: 1, channel_id: 'c-21', user_id: '1' };
  await ada.send('/kafka/signaling', { type: 'enter', ...voice });
  await bob.send('/kafka/community-signaling', { community_id: 1 });
  await ada.send('/kafka/signaling', { type: 'leave', ...voice });
  await community.next(({ type }) => type === 'out');
  await ada.send('/kafka/token', { token: system.token(1) });
  await call('POST', '/chat-server/signaling-list-community', {
    type: 'out',
    communityId: '1',
    channelId: 'c-21',
    ids: [],
  });
  await call('POST', '/chat-server/signaling-list-direct', { type: 'in', channelId: '5', ids: ['1'] });
  await room.next(({ type }) => type === 'in');

  await bob.send('/kafka/join-channel', { channel_id: 'home' });
  await ada.send('/kafka/send-direct-message', { channelId: 7, content: 'unread' });
  await events.next(({ type, place }) => type === 'unread' && place === 'r-7');
  const elsewhere = await connect(2);
  await elsewhere.send('/kafka/read', { place: 'r-7', seq: 1 });
  await events.next(({ type }) => type === 'read');
  await elsewhere.close();

  const behind = await bob.subscribe(ROOM, { id: 'behind', lastSeq: 9_999 });
  await behind.next(({ type }) => type === 'reset');
  await behind.unsubscribe();
  await bob.send('/kafka/send-direct-message', { channelId: 99, content: 'x', userId: 9 }).catch(() => undefined);
  await errors.next(({ code }) => code === 2103);

  const intruder = await connect(3);
  await expect(intruder.send('/kafka/send-direct-message', { channelId: 5, content: 'x' })).rejects.toThrow('2103');

  await call('POST', '/chat-server/file', form({ channelId: '5', fileType: 'file' }), 1);
  await room.next(({ fileType }) => fileType === 'file');
  await call('PUT', '/chat-server/room-user-list/5', [1]);
  await room.next(({ type }) => type === 'removed');
  await events.next(({ type, place }) => type === 'left' && place === 'r-5');
  await call('PUT', '/chat-server/room-user-list/5', [1, 2]);
  await Promise.all([ada.close(), bob.close()]);
});

it('covers every HTTP call of clients, services and operators', async () => {
  const at = (path: string, userId?: number) => call('GET', path, undefined, userId);
  const history = (await (await at('/chat-server/direct?ch_id=5', 1)).json()) as { result: Entry[] };
  const { message } = history.result.find(({ fileType }) => fileType === 'file') ?? { message: '' };
  expect(await (await fetch(message)).text()).toBe('some text');
  await at('/chat-server/community?ch_id=11&after=0&size=9', 1);
  await at('/chat-server/unread?places=r-5,c-11,r-99', 1);
  await at('/chat-server/places', 1);
  await at('/chat-server/online?place=r-5', 1);
  await at('/chat-server/online?places=r-5,com-1,r-99', 1);
  await call('POST', '/chat-server/channel/file', form({ communityId: '1', channelId: '11', fileType: 'image' }), 1);
  await call('PUT', '/chat-server/community-user-list/1', [1, 2]);
  await call('POST', '/chat-server/message-count', { userId: 2, roomIds: ['5', 7, 8] });
  await call('POST', '/demo/token', { userId: 1 });
  for (const path of [
    '/chat-server/health/live',
    '/chat-server/health/ready',
    '/metrics',
    '/asyncapi.json',
    '/demo/world',
    '/admin/',
  ]) {
    await at(path);
  }
});

it('generates a typed client for the service API, which finds mistakes when it is compiled and works', async () => {
  const document = (await (await call('GET', '/openapi.json')).json()) as object;
  const program = await typedProgram(document, PROGRAM);
  try {
    expect(await program.compile()).toBe('');
    const bob = await connect(2);
    await bob.subscribe(ROOM);
    await bob.send('/kafka/join-channel', { channel_id: 'r-5' });
    expect(await program.run({ SERVER_URL: system.url, ADMIN_TOKEN })).toEqual({
      admin: 'ops',
      seq: expect.any(Number),
      gone: 4111,
      places: ['r-5'],
      looking: [2],
      servers: 1,
      busiest: [],
      slow: 0,
      traced: 'begin',
      mutes: 1,
      slowModes: 1,
      ended: 1,
      bans: 1,
      exported: 'string',
      job: ['erasure', 'done'],
      retention: 'retention-dry-run',
      jobs: 2,
    });
  } finally {
    await program.remove();
  }
});

it('sent only frames and answers that fit the specifications, and each of them', () => {
  const { traffic } = system;
  expect(traffic.all()).toEqual([]);
  const expected = [
    ...SEND_TABLE.map(({ address }) => address),
    ...Object.keys(EVENT_SCHEMAS),
    ...FRAMES.map(({ command }) => command),
    ...CALLS.filter(({ who, name }) => !ELSEWHERE(who, name)).map(({ name }) => name),
  ];
  expect(expected.filter((name) => !traffic.seen.has(name))).toEqual([]);
});
