import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { startStandIns } from '../../neighbours/stand-ins/server.ts';
import { frameText, type StompFrame } from '../../src/bootstrap/cli/load/stomp-frame.ts';
import { type EmbeddedSystem, startSystem, WORLD } from './system.ts';

const SEND = '/kafka/send-direct-message';

let system: EmbeddedSystem;
beforeAll(async () => {
  system = await startSystem({ LIMIT_CONNECT_SECONDS: '1', LIMITS: 'on', LIMIT_MESSAGES_BURST: '20' });
});
afterAll(() => system.stop());

async function connect(userId: number, acceptVersion = '1.2'): Promise<StompClient> {
  const client = await StompClient.connect({ url: system.url, token: system.token(userId), acceptVersion });
  onTestFinished(() => client.cut());
  return client;
}

async function history(userId: number, room: number): Promise<Record<string, unknown>[]> {
  const headers = { AUTHORIZATION: system.token(userId) };
  const answer = await fetch(`${system.url}/chat-server/direct?ch_id=${room}`, { headers });
  return ((await answer.json()) as { result: Record<string, unknown>[] }).result;
}

/** The ERROR that ended the connection. */
async function errorOf(client: StompClient): Promise<StompFrame | undefined> {
  await client.closed;
  return client.frames.at(-1);
}

/** Cuts a frame in the middle of the surrogate pair of its emoji. */
function cutAtEmoji(text: string): [string, string] {
  const at = text.indexOf('😀') + 1;
  return [text.slice(0, at), text.slice(at)];
}

function twoTexts(userId: number, room: number, content: string): string[] {
  const connecting = frameText('CONNECT', { 'accept-version': '1.2', 'access-token': system.token(userId) });
  const body = { channelId: room, content };
  return [connecting, ...cutAtEmoji(frameText('SEND', { destination: SEND, receipt: 'r' }, body))];
}

it('stores a text whole that a client cut inside a character, over a SockJS WebSocket', async () => {
  const socket = new WebSocket(`${system.url.replace('http', 'ws')}/my-chat/0/cut-1/websocket`);
  onTestFinished(() => socket.close());
  const content = `${'한'.repeat(3_000)} 😀 end`;
  const done = new Promise<void>((resolve) => {
    socket.onmessage = ({ data }) => {
      if (data === 'o') for (const text of twoTexts(1, 5, content)) socket.send(JSON.stringify([text]));
      if (String(data).includes('receipt-id')) resolve();
    };
  });
  await done;
  expect((await history(1, 5)).at(-1)?.message).toBe(content);
});

it('stores a text whole that a client cut inside a character, over xhr_send', async () => {
  const session = `${system.url}/my-chat/0/cut-2`;
  const post = async (path: string, body: string | null = null) =>
    (await fetch(`${session}/${path}`, { method: 'POST', body })).text();
  const content = 'before 😀 after';
  await post('xhr');
  for (const text of twoTexts(1, 7, content)) await post('xhr_send', JSON.stringify([text]));
  let received = '';
  while (!received.includes('receipt-id')) received += await post('xhr');
  await post('xhr_send', JSON.stringify([frameText('DISCONNECT', {})]));
  expect((await history(1, 7)).at(-1)?.message).toBe(content);
});

it.each<[string, string, string]>([
  ['a SUBSCRIBE without destination', frameText('SUBSCRIBE', { id: 's', receipt: 'r-1' }), '2100'],
  ['an UNSUBSCRIBE without id', frameText('UNSUBSCRIBE', { receipt: 'r-1' }), '2100'],
  ['an unknown command', frameText('HELLO', { receipt: 'r-1' }), '2100'],
  ['a frame over the limit', frameText('SEND', { destination: SEND, receipt: 'r-1' }, 'x'.repeat(70_000)), '2413'],
  [
    'a frame over the limit by its content-length',
    `SEND\ndestination:${SEND}\nreceipt:r-1\ncontent-length:70000\n\n`,
    '2413',
  ],
])('answers %s by an ERROR with its receipt', async (_what, text, code) => {
  const client = await connect(1);
  client.raw(text);
  expect(await errorOf(client)).toMatchObject({ command: 'ERROR', headers: { code, 'receipt-id': 'r-1' } });
});

it('counts and logs frames that can never be accepted, once for each connection and without their content', async () => {
  const counted = async () => {
    const text = await (await fetch(`${system.url}/metrics`)).text();
    const values = [...text.matchAll(/^chat_frames_fatal_total\{.*\} (\d+)$/gm)].map(([, value]) => Number(value));
    return values.reduce((all, value) => all + value);
  };
  const before = await counted();
  const client = await connect(2);
  const text = frameText('SEND', { destination: SEND, receipt: 'r-1' }, 'confidential '.repeat(6_000));
  client.raw(text);
  client.raw(text);
  await client.closed;
  expect(await counted()).toBe(before + 1);
  const log = await system.server.log();
  const lines = log.split('\n').filter((line) => line.includes('"userId":2,"code":2413'));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 40, bytes: expect.any(Number) });
  expect(log).not.toContain('confidential');
});

it('reads frames of STOMP 1.0 with blanks after the colons', async () => {
  const client = await StompClient.open({ url: system.url });
  onTestFinished(() => client.cut());
  client.raw(`CONNECT\naccess-token: ${system.token(1)}\nuser-id: 1\n\n\0`);
  await client.next(({ command }) => command === 'CONNECTED');
  client.raw('SUBSCRIBE\nid: 0\ndestination: /topic/direct/8\nreceipt: r-1\n\n\0');
  await client.next(({ headers }) => headers['receipt-id'] === 'r-1');
  client.raw(`SEND\ndestination: ${SEND}\n\n{"channelId":8,"content":"x"}\0`);
  await client.next(({ command, body }) => command === 'MESSAGE' && body.includes('"message":"x"'));
});

it('accepts a heart-beat of 3,000,000,000 milliseconds', async () => {
  const client = await StompClient.open({ url: system.url });
  onTestFinished(() => client.cut());
  const beats = { 'heart-beat': '3000000000,3000000000' };
  client.raw(frameText('CONNECT', { 'accept-version': '1.2', 'access-token': system.token(1), ...beats }));
  await client.next(({ command }) => command === 'CONNECTED');
});

it('says that a CONNECT has no NUL when its time is over', async () => {
  const client = await StompClient.open({ url: system.url });
  client.raw(`CONNECT\naccept-version:1.2\naccess-token:${system.token(1)}\n\n`);
  const error = await errorOf(client);
  expect(error).toMatchObject({ command: 'ERROR', headers: { code: '2100' } });
  expect(error?.headers.message).toContain('has no NUL');
});

it('says in a refusal for too many messages when the next one may be accepted', async () => {
  const client = await connect(1);
  const errors = await client.subscribe('/user/queue/errors');
  for (let count = 0; count < 60; count += 1) client.tell(SEND, { channelId: 9, content: `${count}` });
  const refusal = await errors.next(({ code }) => code === 2429);
  const pause = Number(refusal['retry-after-ms']);
  expect(pause).toBeGreaterThan(0);
  expect(pause).toBeLessThanOrEqual(101);
});

it('keeps a subscription that is repeated with the same id and destination, as the phone does', async () => {
  const client = await connect(2);
  const community = '/topic/community/1';
  for (let count = 0; count < 3; count += 1)
    client.raw(frameText('SUBSCRIBE', { id: community, destination: community }));
  client.raw(frameText('UNSUBSCRIBE', { id: community, receipt: 'r' }));
  await client.next(({ headers }) => headers['receipt-id'] === 'r');
  expect(client.frames.map(({ command }) => command)).not.toContain('ERROR');
});

it('tells only a client that uses a newer feature that the user was removed', async () => {
  const [older, resuming, listening] = [await connect(2), await connect(2), await connect(2)];
  await listening.subscribe('/user/queue/errors');
  const rooms = [
    await older.subscribe('/topic/direct/5'),
    await resuming.subscribe('/topic/direct/5', { lastSeq: 1_000 }),
    await listening.subscribe('/topic/direct/5'),
  ];
  const put = (members: readonly number[]) =>
    fetch(`${system.url}/chat-server/room-user-list/5`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(members),
    });
  await put([1]);
  onTestFinished(async () => void (await put([1, 2])));
  for (const room of rooms.slice(1)) await room.next(({ type }) => type === 'removed');
  await older.unsubscribe('none');
  expect(rooms[0]?.bodies).toEqual([]);
});

it('sends the notifications of messages that were sent while their service was away, and delays no message', {
  timeout: 60_000,
}, async () => {
  const standIns = await startStandIns({ directory: WORLD });
  onTestFinished(() => standIns.stop());
  const proxy = await FaultProxy.start({ target: standIns.port, mode: 'refuse' });
  onTestFinished(() => proxy.stop());
  const url = standIns.notificationUrl.replace(String(standIns.port), String(proxy.port));
  const notifying = await startSystem({ NOTIFICATION_URL: url });
  onTestFinished(() => notifying.stop());
  const client = await StompClient.connect({ url: notifying.url, token: notifying.token(1) });
  onTestFinished(() => client.cut());
  const send = (content: string) => client.send(SEND, { channelId: 5, content });
  await send('one');
  const deleted = await send('deleted');
  await send('two');
  await client.send('/kafka/send-direct-delete', { channelId: 5, id: deleted.headers['message-id'] });
  expect(standIns.notifications).toEqual([]);
  await proxy.setMode('pass');
  const contents = () => standIns.notifications.map(({ body }) => (body as { content: string }).content).sort();
  await expect.poll(contents, { timeout: 20_000 }).toEqual(['one', 'two']);
});
