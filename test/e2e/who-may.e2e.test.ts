import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import jsonwebtoken from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { StompClient } from '../../dev/stomp-client.ts';
import { codeOf } from '../support/answer-code.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

/**
 * Users 1 and 2 share room 5 and community 1, whose channel 12 is private to user 1. Users 1 and 4
 * share room 6. Users 1 and 3 share community 2.
 */
const WORLD = {
  users: { 1: { name: 'Ada', image: null }, 2: { name: 'Grace', image: null }, 3: { name: 'Linus', image: null } },
  rooms: { 5: [1, 2], 6: [1, 4] },
  communities: {
    1: { members: [1, 2], channels: { 11: null, 12: [1] } },
    2: { members: [1, 3], channels: { 21: null } },
  },
};
const PREVIOUS = randomBytes(48);

let system: EmbeddedSystem;

beforeAll(async () => {
  system = await startSystem({ JWT_SECRET_PREVIOUS: PREVIOUS.toString('base64') }, WORLD);
});
afterAll(() => system.stop());

/** A client with a subscription to the errors queue, so that refusals do not close it. */
async function client(userId: number, token = system.token(userId)): Promise<StompClient> {
  const made = await StompClient.connect({ url: system.url, token });
  onTestFinished(() => made.cut());
  await made.subscribe('/user/queue/errors', { id: 'errors' });
  return made;
}

/** The code with which a SEND or SUBSCRIBE is refused; 0 if it is accepted. */
async function refusal(act: Promise<unknown>): Promise<number> {
  try {
    await act;
    return 0;
  } catch (error) {
    return Number(/"code":(\d+)/.exec(String(error))?.[1] ?? /ERROR (\d+)/.exec(String(error))?.[1] ?? -1);
  }
}

const message = (more: object) => ({ name: 'x', profileImage: null, content: 'hello', ...more });

describe('authentication', () => {
  it.each([
    ['a missing token', null],
    ['a text that is not a token', 'x'],
    ['a token of another secret', jsonwebtoken.sign({ id: 1 }, 'other', { subject: 'a', expiresIn: 60 })],
    [
      'a token without a signature',
      jsonwebtoken.sign({ id: 1 }, null, { algorithm: 'none', subject: 'a', expiresIn: 60 }),
    ],
  ])('refuses a connection and an HTTP call with %s', async (_, token) => {
    await expect(StompClient.connect({ url: system.url, token })).rejects.toThrow(/ERROR 210[12]/);
    const headers = token === null ? {} : { AUTHORIZATION: token };
    const answer = await fetch(`${system.url}/chat-server/direct?ch_id=5`, { headers });
    expect([2101, 2102]).toContain(await codeOf(answer));
  });

  it.each<[string, object, jsonwebtoken.SignOptions, number]>([
    ['was issued 20 s in the future', { iat: Math.floor(Date.now() / 1000) + 20 }, {}, 1000],
    ['has no role', { role: undefined }, {}, 1000],
    ['has a list of roles', { role: [{ authority: 'USER' }] }, {}, 1000],
    ['starts in 30 s', { nbf: Math.floor(Date.now() / 1000) + 30 }, {}, 1000],
    ['starts in two hours', { nbf: Math.floor(Date.now() / 1000) + 7_200 }, {}, 2102],
    ['expired a second ago', {}, { expiresIn: -1 }, 2102],
    ['has critical extensions', {}, { header: { alg: 'HS256', crit: ['exp2'] } }, 2102],
  ])('judges a token that %s by its signature, exp, nbf and crit only', async (_, claims, options, code) => {
    const token = system.sign({ id: 1, role: 'USER', ...claims }, { subject: 'ada', expiresIn: 3_600, ...options });
    const connected = StompClient.connect({ url: system.url, token }).then(
      async (one) => {
        await one.close();
        return 1000;
      },
      (error: Error) => Number(/ERROR (\d+)/.exec(error.message)?.[1]),
    );
    const headers = { AUTHORIZATION: token };
    const answer = await fetch(`${system.url}/chat-server/direct?ch_id=5`, { headers });
    expect([await connected, await codeOf(answer)]).toEqual([code, code]);
  });

  it('takes the user from the token and refuses another one in a header or body', async () => {
    await expect(StompClient.connect({ url: system.url, token: system.token(1), userId: 2 })).rejects.toThrow('2102');
    const one = await client(1);
    expect(await refusal(one.send('/kafka/send-direct-message', message({ channelId: 5, userId: 2 })))).toBe(2103);
    expect(await refusal(one.send('/kafka/join-channel', { type: 'state', user_id: 2, channel_id: 'home' }))).toBe(
      2103,
    );
    expect(await refusal(one.send('/kafka/send-direct-message', message({ channelId: 5, userId: 1 })))).toBe(0);
    const headers = { AUTHORIZATION: system.token(1), 'user-id': '2' };
    const answer = await fetch(`${system.url}/chat-server/direct?ch_id=5`, { headers });
    expect(await codeOf(answer)).toBe(2102);
  });

  it('accepts a token that is signed with the previous key', async () => {
    const token = jsonwebtoken.sign({ id: 1, role: 'USER' }, PREVIOUS, { subject: 'ada', expiresIn: 60 });
    const one = await client(1, token);
    expect(await refusal(one.subscribe('/topic/direct/5'))).toBe(0);
  });
});

describe('the token of a session', () => {
  const short = (userId: number, seconds: number) =>
    system.sign({ id: userId, role: 'USER' }, { subject: 'a', expiresIn: seconds });

  it('closes a session when its token expires', async () => {
    const one = await StompClient.connect({ url: system.url, token: short(1, 2) });
    const began = Date.now();
    expect((await one.closed).code).toBe(1002);
    expect(one.frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { code: '2102' } });
    expect(Date.now() - began).toBeLessThan(4_500);
  });

  it('continues a session with a new token of the same user, and refuses the token of another user', async () => {
    const one = await client(1, short(1, 3));
    expect(await refusal(one.send('/kafka/token', { token: system.token(2) }))).toBe(2102);
    expect(await refusal(one.send('/kafka/token', { token: { $gt: '' } }))).toBe(2100);
    expect(await refusal(one.send('/kafka/token', { token: system.token(1) }))).toBe(0);
    await delay(5_000);
    expect(await refusal(one.subscribe('/topic/direct/5'))).toBe(0);
  });
});

describe('membership', () => {
  it('refuses every subscription, command, call and upload by somebody who is not a member', async () => {
    const three = await client(3);
    for (const at of [
      '/topic/direct/5',
      '/topic/group/11',
      '/topic/community/1',
      '/topic/direct/77',
      '/topic/group/77',
    ]) {
      expect(await refusal(three.subscribe(at))).toBe(2103);
    }
    const two = await client(2);
    expect(await refusal(two.subscribe('/topic/group/12'))).toBe(2103);
    const inChannel = message({ userId: 3, channelId: 11, communityId: 1 });
    const id = '0'.repeat(24);
    for (const [destination, body] of [
      ['send-direct-message', message({ userId: 3, channelId: 5 })],
      ['send-direct-reply', message({ userId: 3, channelId: 5, parentId: id, type: 'reply' })],
      ['send-direct-modify', { id, userId: 3, channelId: 5, content: 'x', type: 'modify' }],
      ['send-direct-delete', { id, userId: 3, channelId: 5, type: 'delete' }],
      ['send-direct-typing', { content: 'x', channelId: 5, type: 'typing' }],
      ['send-channel-message', inChannel],
      ['send-channel-reply', { ...inChannel, parentId: id, type: 'reply' }],
      ['send-channel-modify', { id, userId: 3, channelId: 11, content: 'x', type: 'modify' }],
      ['send-channel-delete', { id, userId: 3, channelId: 11, type: 'delete' }],
      ['send-channel-typing', { content: 'x', channelId: 11, type: 'typing' }],
      ['join-channel', { type: 'state', user_id: 3, channel_id: 'r-5' }],
      ['community-signaling', { type: 'before-enter', user_id: 3, community_id: 1 }],
      ['signaling', { type: 'enter', user_id: 3, community_id: 1, channel_id: 'c-11' }],
    ] as const) {
      expect([destination, await refusal(three.send(`/kafka/${destination}`, body))]).toEqual([destination, 2103]);
    }
    const voice = { type: 'enter', user_id: 2, community_id: 1, channel_id: 'c-12' };
    expect(await refusal(two.send('/kafka/signaling', voice))).toBe(2103);
    for (const path of ['direct?ch_id=5', 'community?ch_id=11', 'online?place=com-1']) {
      const answer = await fetch(`${system.url}/chat-server/${path}`, { headers: { AUTHORIZATION: system.token(3) } });
      expect([path, await codeOf(answer)]).toEqual([path, 2103]);
    }
    const unread = await fetch(`${system.url}/chat-server/unread?places=r-5`, {
      headers: { AUTHORIZATION: system.token(3) },
    });
    expect(await unread.json()).toMatchObject({ result: [{ place: 'r-5', code: 2103 }] });
    const form = new FormData();
    for (const [name, value] of Object.entries({ userId: '3', channelId: '5', type: 'direct', fileType: 'file' }))
      form.set(name, value);
    form.set('image', new Blob(['x']), 'x.txt');
    const upload = { method: 'POST', headers: { AUTHORIZATION: system.token(3) }, body: form };
    expect(await codeOf(fetch(`${system.url}/chat-server/file`, upload))).toBe(2103);
  });

  it('refuses patterns as destinations, and a SEND straight to a topic', async () => {
    const one = await client(1);
    for (const at of [
      '/topic/**',
      '/topic/direct/*',
      '/topic/direct/5,6',
      '/user/2/queue/errors',
      '/topic/direct/05',
    ]) {
      expect(await refusal(one.subscribe(at))).toBe(2100);
    }
    for (const at of ['/topic/direct/5', '/user/queue/errors', '/queue/x']) {
      expect(await refusal(one.send(at, { type: 'message' }))).toBe(2103);
    }
    expect(await refusal(one.send('/kafka/chat-topic', {}))).toBe(2100);
  });
});

describe('messages of others', () => {
  it('refuses an edit and a deletion by somebody who is not the author', async () => {
    const [one, two] = [await client(1), await client(2)];
    const { headers } = await one.send('/kafka/send-direct-message', message({ channelId: 5, userId: 1 }));
    const target = { id: headers['message-id'], userId: 2, channelId: 5 };
    expect(await refusal(two.send('/kafka/send-direct-modify', { ...target, content: 'y', type: 'modify' }))).toBe(
      2112,
    );
    expect(await refusal(two.send('/kafka/send-direct-delete', { ...target, type: 'delete' }))).toBe(2112);
  });

  it('refuses a reply and an edit that name another room than that of the message', async () => {
    const one = await client(1);
    const { headers } = await one.send('/kafka/send-direct-message', message({ channelId: 6, userId: 1 }));
    const reply = message({
      channelId: 5,
      userId: 1,
      parentId: headers['message-id'],
      type: 'reply',
      parentContent: 'forged',
    });
    expect(await refusal(one.send('/kafka/send-direct-reply', reply))).toBe(4111);
    const modify = { id: headers['message-id'], userId: 1, channelId: 5, content: 'y', type: 'modify' };
    expect(await refusal(one.send('/kafka/send-direct-modify', modify))).toBe(4111);
  });

  it('refuses a channel message that names another community', async () => {
    const one = await client(1);
    const body = message({ userId: 1, channelId: 11 });
    expect(await refusal(one.send('/kafka/send-channel-message', { ...body, communityId: 2 }))).toBe(2103);
    expect(await refusal(one.send('/kafka/send-channel-message', { ...body, communityId: 1 }))).toBe(0);
    const typing = { content: 'x', channelId: 11, communityId: 2, type: 'typing' };
    expect(await refusal(one.send('/kafka/send-channel-typing', typing))).toBe(2103);
  });
});

describe('pages of other origins', () => {
  const origin = 'https://evil.example';

  it.each(['/my-chat', '/my-chat/websocket', '/my-chat/0/s/websocket'])(
    'refuses a WebSocket of a page of another origin at %s',
    async (path) => {
      const socket = new WebSocket(`${system.url.replace('http', 'ws')}${path}`, { origin });
      const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
      expect(error.message).toContain('403');
    },
  );

  it('refuses SockJS sessions and HTTP calls of pages of another origin', async () => {
    const headers = { origin, AUTHORIZATION: system.token(1) };
    const xhr = await fetch(`${system.url}/my-chat/0/abcd/xhr`, { method: 'POST', headers });
    expect(xhr.status).toBe(403);
    const call = await fetch(`${system.url}/chat-server/direct?ch_id=5`, { headers });
    expect(await codeOf(call)).toBe(2103);
    expect(call.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('service calls without a trusted proxy', () => {
  it.each([
    ['x-forwarded-for', '127.0.0.1'],
    ['x-real-ip', '127.0.0.1'],
    ['forwarded', 'for=127.0.0.1'],
    ['via', '1.1 proxy'],
  ])('does not take a client for a service because of its header %s', async (name, value) => {
    const body = '[1,2,3]';
    const headers = { 'content-type': 'application/json', [name]: value };
    const answer = await fetch(`${system.url}/chat-server/room-user-list/5`, { method: 'PUT', headers, body });
    expect(await codeOf(answer)).toBe(2103);
    const three = await client(3);
    expect(await refusal(three.subscribe('/topic/direct/5'))).toBe(2103);
  });

  it('refuses a service call with the token of a user', async () => {
    const headers = { AUTHORIZATION: system.token(1) };
    const answer = await fetch(`${system.url}/chat-server/room-user-list/5`, { method: 'PUT', headers, body: '[1]' });
    expect(await codeOf(answer)).toBe(2103);
  });
});
