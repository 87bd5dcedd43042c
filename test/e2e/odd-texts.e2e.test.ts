import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { StompClient } from '../../dev/stomp-client.ts';
import { frameText } from '../../src/bootstrap/cli/load/stomp-frame.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const ERRORS = '/user/queue/errors';
const SEND = '/kafka/send-direct-message';
const TYPING = '/kafka/send-direct-typing';
/** The JSON escape of half a surrogate pair, as JSON.stringify writes it. */
const HALF = '\ud83d';

let system: EmbeddedSystem;
let ada: StompClient;
let grace: StompClient;
beforeAll(async () => {
  system = await startSystem();
  ada = await StompClient.connect({ url: system.url, token: system.token(1) });
  grace = await StompClient.connect({ url: system.url, token: system.token(2) });
  await ada.subscribe(ERRORS);
  await grace.subscribe('/topic/direct/5', { id: 'live' });
});
afterAll(async () => {
  await Promise.all([ada.close(), grace.close()]);
  await system.stop();
});

/** Sends a message and returns its number. */
async function say(content: string, more: object = {}): Promise<number> {
  const receipt = await ada.send(SEND, { channelId: 5, userId: 1, name: 'Ada', content, ...more });
  return Number(receipt.headers.seq);
}

/** The event with this number as it was sent live and as it is replayed. */
async function framesOf(seq: number): Promise<Record<string, unknown>[]> {
  const isIt = (body: Record<string, unknown>) => body.seq === seq;
  const reader = await StompClient.connect({ url: system.url, token: system.token(2) });
  const replay = await reader.subscribe('/topic/direct/5', { lastSeq: seq - 1 });
  const replayed = await replay.next(isIt);
  const late = await reader.subscribe('/topic/direct/5', { id: 'late', lastSeq: seq - 1 });
  expect(await late.next(isIt)).toEqual(replayed);
  await reader.close();
  const live = grace.frames.filter(({ headers }) => headers.seq === String(seq)).map(({ body }) => JSON.parse(body));
  return [...live, replayed];
}

async function entryOf(seq: number): Promise<Record<string, unknown>> {
  const url = `${system.url}/chat-server/direct?ch_id=5&after=${seq - 1}&size=1`;
  const response = await fetch(url, { headers: { AUTHORIZATION: system.token(2) } });
  const { result } = (await response.json()) as { result: Record<string, unknown>[] };
  expect(result[0]?.seq).toBe(seq);
  return result[0] ?? {};
}

/** The name in the next typing notice that the other member gets. */
async function typed(name: string, url = system.url): Promise<unknown> {
  const writer = await StompClient.connect({ url, token: system.token(1) });
  const shown = grace.next(({ body }) => body.includes('"type":"typing"'));
  writer.tell(TYPING, { channelId: 5, content: name, type: 'typing' });
  const { body } = await shown;
  await writer.close();
  return JSON.parse(body).name;
}

it('shows a message with half a surrogate pair as well-formed text, the same live, replayed and in the history', async () => {
  const seq = await say(`cut ${HALF}`, { name: `Ada ${HALF}`, profileImage: `pic ${HALF}` });
  const texts = { message: 'cut \ufffd', name: 'Ada \ufffd', profileImage: 'pic \ufffd' };
  expect(await framesOf(seq)).toMatchObject([texts, texts]);
  expect(await entryOf(seq)).toMatchObject(texts);
});

it('shows an edit and a reply with half a surrogate pair as well-formed text', async () => {
  const parentSeq = await say('parent');
  const { id } = await entryOf(parentSeq);
  const edited = await ada.send('/kafka/send-direct-modify', { channelId: 5, id, content: `${HALF} edited` });
  const editSeq = Number(edited.headers.seq);
  expect(await framesOf(editSeq)).toMatchObject([{ message: '\ufffd edited' }, { message: '\ufffd edited' }]);
  const reply = { channelId: 5, name: 'Ada', content: `re ${HALF}`, parentId: id, type: 'reply' };
  const replySeq = Number((await ada.send('/kafka/send-direct-reply', reply)).headers.seq);
  const texts = { message: 're \ufffd', parentContent: '\ufffd edited' };
  expect(await framesOf(replySeq)).toMatchObject([texts, texts]);
  expect(await entryOf(replySeq)).toMatchObject(texts);
});

it('shows a typing notice with half a surrogate pair as well-formed text', async () => {
  expect(await typed(`Ada ${HALF}`)).toBe('Ada \ufffd');
});

it('cuts the name of a typing notice between two characters', async () => {
  expect(await typed(`${'x'.repeat(199)}😀😀`)).toBe(`${'x'.repeat(199)}😀`);
});

it.each([JSON.stringify('\ud800'), JSON.stringify('a\udc00'), '"\ufffd"'])(
  'refuses the nonce %s, which is not well-formed or stands for such a one',
  async (nonce) => {
    const body = `{"channelId":5,"content":"x","nonce":${nonce}}`;
    await expect(ada.send(SEND, body)).rejects.toThrow('"code":2100');
  },
);

it('repairs half a surrogate pair that arrives unescaped over SockJS, and refuses such a nonce', async () => {
  const socket = new WebSocket(`${system.url.replace('http', 'ws')}/my-chat/000/odd/websocket`);
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(String(data)));
  const until = async (text: string) => {
    while (!heard.join('').includes(text)) await once(socket, 'message');
  };
  const say = (command: string, headers: Record<string, string>, body = '') =>
    socket.send(JSON.stringify([frameText(command, headers, body)]));
  await until('o');
  say('CONNECT', { 'accept-version': '1.2', 'access-token': system.token(1) });
  say('SUBSCRIBE', { id: 'errors', destination: ERRORS });
  const message = `{"channelId":5,"content":"cut ${HALF}"}`;
  say('SEND', { destination: SEND, receipt: 'first' }, message);
  await until('receipt-id:first');
  const seq = Number(/seq:(\d+)/.exec(heard.join(''))?.[1]);
  expect(await entryOf(seq)).toMatchObject({ message: 'cut \ufffd' });
  say('SEND', { destination: SEND, receipt: 'second' }, message.replace('}', ',"nonce":"\ud800"}'));
  await until('second');
  expect(heard.join('')).toContain('2100');
  socket.terminate();
});

it('counts the characters of a content and of a nonce by code points', async () => {
  const seq = await say('😀'.repeat(8_000), { nonce: '😀'.repeat(64) });
  expect((await entryOf(seq)).message).toBe('😀'.repeat(8_000));
  await expect(say('😀'.repeat(8_001))).rejects.toThrow('content has 8,001 characters; the limit is 8,000');
  await expect(say('x', { nonce: '😀'.repeat(65) })).rejects.toThrow('"code":2100');
});

it.each([
  ['nothing', ''],
  ['white space', ' \t\r\n\u00a0\u2003\u3000'],
  ['zero-width characters', '\u200b\u200c\u200d\u2060\ufeff'],
  ['characters that no font shows', '\u00ad\u034f\u115f\u3164\ufe0f\u{e0020}\u2800'],
  ['control and direction characters', '\u0000\u001b\u202e\u2066\u200f'],
])('refuses a message, a reply and an edit with only %s, and stores nothing', async (_, content) => {
  const seq = await say('something to see');
  const { id } = await entryOf(seq);
  await expect(say(content)).rejects.toThrow('"code":2100');
  const reply = { channelId: 5, content, parentId: id };
  await expect(ada.send('/kafka/send-direct-reply', reply)).rejects.toThrow('"code":2100');
  await expect(ada.send('/kafka/send-direct-modify', { channelId: 5, id, content })).rejects.toThrow('"code":2100');
  expect(await say('next')).toBe(seq + 1);
});

it('keeps joiners, blanks and decomposed letters of a text as they were sent', async () => {
  const content = '\ufeff  \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 👩‍👩‍👧 e\u0301\u0000 \u202e\n';
  const seq = await say(content);
  expect(await framesOf(seq)).toMatchObject([{ message: content }, { message: content }]);
  expect(await entryOf(seq)).toMatchObject({ message: content });
});

it('reads a body that begins with a byte order mark', async () => {
  const receipt = await ada.send(SEND, '\ufeff{"channelId":5,"content":"after the mark"}');
  expect(await entryOf(Number(receipt.headers.seq))).toMatchObject({ message: 'after the mark' });
});

it('reads a body of HTTP that begins with a byte order mark', async () => {
  const put = (path: string, method: string, body: string) =>
    fetch(`${system.url}/chat-server/${path}`, { method, body }).then((response) => response.json());
  expect(await put('room-user-list/9', 'PUT', '\ufeff[1,2]')).toMatchObject({ isSuccess: true });
  expect(await put('message-count', 'POST', '\ufeff{"userId":1,"roomIds":[9]}')).toMatchObject([{ roomId: 9 }]);
});

it('answers a list of no places with no counts', async () => {
  const response = await fetch(`${system.url}/chat-server/unread?places=`, {
    headers: { AUTHORIZATION: system.token(1) },
  });
  expect(await response.json()).toMatchObject({ isSuccess: true, result: [] });
});

it.each(['channelId', 'userId'])(
  'reads Optional(5) as 5 in the field %s, as the phone client sends it',
  async (name) => {
    const seq = await say('from the phone');
    const { id } = await entryOf(seq);
    const ids = { channelId: 5, userId: 1 };
    const edit = { ...ids, [name]: `Optional(${ids[name as 'channelId']})`, id, content: 'edited', type: 'modify' };
    expect((await ada.send('/kafka/send-direct-modify', edit)).headers['message-id']).toBe(id);
  },
);

it.each([
  'Optional(05)',
  'optional(5)',
  'Optional(5',
  'Optional("5")',
  'Optional( 5)',
  ' Optional(5)',
  'Optional(Optional(5))',
])('refuses %s as the id of a room', async (channelId) => {
  await expect(ada.send(SEND, { channelId, content: 'x' })).rejects.toThrow('"code":2100');
});
