import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { frameText } from '../../src/bootstrap/cli/load/stomp-frame.ts';
import { codeOf } from '../support/answer-code.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

/** Small limits, so that a few actions exceed each of them. */
const LIMITS = {
  LIMITS: 'on',
  LIMIT_FRAME_BYTES: '4096',
  LIMIT_HEADER_BYTES: '2048',
  LIMIT_CONTENT_CHARS: '100',
  LIMIT_SUBSCRIPTIONS: '3',
  LIMIT_CONNECTIONS_PER_USER: '2',
  LIMIT_CONNECTIONS_PER_ADDRESS: '6',
  LIMIT_MESSAGES_PER_SECOND: '1',
  LIMIT_MESSAGES_BURST: '3',
  LIMIT_TYPING_SECONDS: '60',
  LIMIT_UPLOAD_BYTES: '1000',
  LIMIT_UPLOADS_PER_MINUTE: '4',
  LIMIT_PAGE_SIZE: '10',
  LIMIT_JSON_DEPTH: '4',
  LIMIT_RESUME_EVENTS: '2',
};
const WORLD = {
  users: Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [String(index + 1), { name: `u${index + 1}`, image: null }]),
  ),
  rooms: Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [String(index + 1), Array.from({ length: 12 }, (_, i) => i + 1)]),
  ),
  communities: { 1: { members: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], channels: { 11: null } } },
};

let system: EmbeddedSystem;
/** Each test has its own user, because rates count for each user. */
let lastUser = 0;

beforeAll(async () => {
  system = await startSystem(LIMITS, WORLD);
});
afterAll(() => system.stop());

async function connect(userId: number): Promise<StompClient> {
  const made = await StompClient.connect({ url: system.url, token: system.token(userId) });
  onTestFinished(() => made.cut());
  return made;
}

async function client(): Promise<{ one: StompClient; userId: number }> {
  lastUser += 1;
  const one = await connect(lastUser);
  await one.subscribe('/user/queue/errors', { id: 'errors' });
  return { one, userId: lastUser };
}

async function refusal(act: Promise<unknown>): Promise<number> {
  try {
    await act;
    return 0;
  } catch (error) {
    return Number(/"code":(\d+)/.exec(String(error))?.[1] ?? /ERROR (\d+)/.exec(String(error))?.[1] ?? -1);
  }
}

const say = (one: StompClient, userId: number, more: object = {}) =>
  refusal(
    one.send('/kafka/send-direct-message', {
      channelId: 1,
      userId,
      name: 'a',
      profileImage: null,
      content: 'x',
      ...more,
    }),
  );

function upload(userId: number, bytes: number): Promise<number> {
  const form = new FormData();
  const fields = { userId, channelId: 1, type: 'direct', fileType: 'file', name: 'a', profileImage: '' };
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  form.set('image', new Blob(['x'.repeat(bytes)]), 'x.txt');
  const headers = { AUTHORIZATION: system.token(userId) };
  return codeOf(fetch(`${system.url}/chat-server/file`, { method: 'POST', headers, body: form }));
}

it('refuses messages over LIMIT_MESSAGES_PER_SECOND and _BURST with 2429, and accepts later ones', async () => {
  const { one, userId } = await client();
  const codes = await Promise.all(Array.from({ length: 6 }, () => say(one, userId)));
  expect(codes.slice(0, 3)).toEqual([0, 0, 0]);
  expect(codes.slice(4)).toEqual([2429, 2429]);
  await expect.poll(() => say(one, userId), { timeout: 5_000, interval: 300 }).toBe(0);
});

it('refuses moves and voice channel requests over LIMIT_MESSAGES_PER_SECOND with 2429', async () => {
  const { one, userId } = await client();
  const ask = () =>
    refusal(one.send('/kafka/community-signaling', { type: 'before-enter', user_id: userId, community_id: 1 }));
  const codes = await Promise.all(Array.from({ length: 6 }, ask));
  expect(codes).toContain(0);
  expect(codes.slice(4)).toEqual([2429, 2429]);
  expect(await refusal(one.send('/kafka/join-channel', { type: 'state', user_id: userId, channel_id: 'home' }))).toBe(
    2429,
  );
});

it('shows one typing notice within LIMIT_TYPING_SECONDS, and confirms all of them', async () => {
  const { one } = await client();
  const room = await one.subscribe('/topic/direct/2');
  for (let count = 0; count < 5; count++) {
    expect(await refusal(one.send('/kafka/send-direct-typing', { content: 'a', channelId: 2, type: 'typing' }))).toBe(
      0,
    );
  }
  await room.next(({ type }) => type === 'typing');
  expect(room.bodies.filter(({ type }) => type === 'typing')).toHaveLength(1);
});

it('refuses subscriptions over LIMIT_SUBSCRIPTIONS with 2429, and keeps the connection', async () => {
  const { one } = await client();
  expect(await refusal(one.subscribe('/topic/direct/1', { id: 'a' }))).toBe(0);
  expect(await refusal(one.subscribe('/topic/direct/2'))).toBe(0);
  expect(await refusal(one.subscribe('/topic/direct/3'))).toBe(2429);
  await one.unsubscribe('a');
  expect(await refusal(one.subscribe('/topic/direct/3'))).toBe(0);
});

it('refuses a connection over LIMIT_CONNECTIONS_PER_USER with ERROR 2429 until another one ends', async () => {
  const { one, userId } = await client();
  await connect(userId);
  expect(await refusal(connect(userId))).toBe(2429);
  await one.cut();
  await expect.poll(() => refusal(connect(userId)), { timeout: 5_000 }).toBe(0);
});

it('closes connections over LIMIT_CONNECTIONS_PER_ADDRESS with a reason, whatever forwarding headers they send', async () => {
  const open = await Promise.all(
    Array.from({ length: 9 }, (_, index) =>
      StompClient.open({
        url: system.url,
        headers: { 'x-forwarded-for': `10.0.0.${index}`, forwarded: `for=10.1.0.${index}` },
      }),
    ),
  );
  const closed = await Promise.all(open.slice(6).map((each) => each.closed));
  for (const end of closed) expect(end).toEqual({ code: 1008, reason: 'too many connections from one address' });
  await Promise.all(open.map((each) => each.cut()));
});

it('refuses a message over LIMIT_CONTENT_CHARS with 2413', async () => {
  const { one, userId } = await client();
  expect(await say(one, userId, { content: '한'.repeat(101) })).toBe(2413);
  expect(await say(one, userId, { content: '한'.repeat(100) })).toBe(0);
});

it('refuses a body nested deeper than LIMIT_JSON_DEPTH with 2100', async () => {
  const { one, userId } = await client();
  expect(await say(one, userId, { more: [[[[1]]]] })).toBe(2100);
  expect(await say(one, userId, { more: [[[1]]] })).toBe(0);
});

it('refuses frames over LIMIT_FRAME_BYTES and LIMIT_HEADER_BYTES with ERROR 2413, and smaller frames before CONNECT', async () => {
  for (const [stranger, frame] of [
    [
      false,
      frameText('SEND', { destination: '/kafka/send-direct-message' }, { channelId: 1, more: 'x'.repeat(4_100) }),
    ],
    [false, frameText('SEND', { destination: '/kafka/send-direct-message', more: 'x'.repeat(2_100) })],
    [true, frameText('CONNECT', { 'access-token': system.token(1) }, 'x'.repeat(2_100))],
  ] as const) {
    const one = stranger ? await StompClient.open({ url: system.url }) : (await client()).one;
    one.raw(frame);
    expect((await one.closed).code).toBe(1002);
    expect(one.frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { code: '2413' } });
  }
});

it('refuses a WebSocket message of many times LIMIT_FRAME_BYTES with ERROR 2413', async () => {
  const { one } = await client();
  one.raw(frameText('SEND', { destination: '/kafka/send-direct-message' }, { channelId: 1, more: 'x'.repeat(50_000) }));
  expect((await one.closed).code).toBe(1002);
  expect(one.frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { code: '2413' } });
});

it.each(['xhr', 'websocket'])(
  'refuses a SockJS message of many times LIMIT_FRAME_BYTES with ERROR 2413 over %s',
  async (transport) => {
    const text = JSON.stringify([`SEND\n\n${'x'.repeat(50_000)}\0`]);
    const session = `${system.url}/my-chat/0/large-${transport}`;
    const received: string[] = [];
    if (transport === 'xhr') {
      const poll = async () => received.push(await (await fetch(`${session}/xhr`, { method: 'POST' })).text());
      await poll();
      expect((await fetch(`${session}/xhr_send`, { method: 'POST', body: text })).status).toBe(413);
      await poll();
      await poll();
    } else {
      const socket = new WebSocket(`${session.replace('http', 'ws')}/websocket`);
      socket.onmessage = ({ data }) => received.push(String(data));
      socket.onopen = () => socket.send(text);
      await new Promise((resolve) => (socket.onclose = resolve));
    }
    expect(received.join('')).toMatch(/^o.*a\["ERROR.*\\ncode:2413.*c\[1002,/s);
  },
);

it('refuses a file over LIMIT_UPLOAD_BYTES with 2413 and uploads over LIMIT_UPLOADS_PER_MINUTE with 2429', async () => {
  const userId = 12;
  expect(await upload(userId, 1_001)).toBe(2413);
  expect(await upload(userId, 1_000)).toBe(1000);
  const codes = await Promise.all(Array.from({ length: 4 }, () => upload(userId, 10)));
  expect(codes.filter((code) => code === 2429).length).toBeGreaterThanOrEqual(2);
});

it('refuses a history page over LIMIT_PAGE_SIZE with 2100', async () => {
  const headers = { AUTHORIZATION: system.token(1) };
  expect(await codeOf(fetch(`${system.url}/chat-server/direct?ch_id=1&size=11`, { headers }))).toBe(2100);
  expect(await codeOf(fetch(`${system.url}/chat-server/direct?ch_id=1&size=10`, { headers }))).toBe(1000);
});

it('sends a reset to a client that missed more than LIMIT_RESUME_EVENTS', async () => {
  const { one, userId } = await client();
  for (let count = 0; count < 3; count++) await say(one, userId, { channelId: 9 });
  const room = await one.subscribe('/topic/direct/9', { lastSeq: 0 });
  expect(room.bodies).toEqual([{ type: 'reset', seq: 3 }]);
});

it('closes a client that continues to send refused frames, with a reason', async () => {
  const { one } = await client();
  for (let count = 0; count < 1_100; count++) one.tell('/kafka/nowhere', {});
  expect((await one.closed).code).toBe(1002);
  expect(one.frames.at(-1)).toMatchObject({
    command: 'ERROR',
    headers: { code: '2429', message: 'too many refused frames; the limit is 10 a second' },
  });
});
