import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { RawClient, upgradeRequest } from '../../dev/sockjs-host.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { frameText } from '../../src/bootstrap/cli/load/stomp-frame.ts';
import { codeOf } from '../support/answer-code.ts';
import { HeapProbe, heapStaysFlat } from '../support/heap.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

let system: EmbeddedSystem;
let probe: HeapProbe;

beforeAll(async () => {
  probe = await HeapProbe.create();
  const env = { LIMITS: 'on', LIMIT_CONNECT_SECONDS: '2', LOG_LEVEL: 'debug', NODE_OPTIONS: probe.args.join(' ') };
  system = await startSystem({ ...env, LIMIT_CONNECTIONS_PER_ADDRESS: '50', LIMIT_MESSAGES_BURST: '1000' });
});
afterAll(async () => {
  probe.close();
  await system.stop();
});

async function client(userId: number): Promise<StompClient> {
  const made = await StompClient.connect({ url: system.url, token: system.token(userId) });
  onTestFinished(() => made.cut());
  await made.subscribe('/user/queue/errors', { id: 'errors' });
  return made;
}

/** Two other users connect and exchange a message. */
async function othersAreServed(): Promise<void> {
  const [one, two] = [await client(1), await client(2)];
  const room = await two.subscribe('/topic/direct/8');
  const content = randomBytes(8).toString('hex');
  await one.send('/kafka/send-direct-message', { channelId: 8, userId: 1, name: 'a', profileImage: null, content });
  await room.next(({ message }) => message === content);
  await Promise.all([one.cut(), two.cut()]);
}

function port(): number {
  return Number(new URL(system.url).port);
}

async function refusal(act: Promise<unknown>): Promise<number> {
  try {
    await act;
    return 0;
  } catch (error) {
    return Number(/"code":(\d+)/.exec(String(error))?.[1] ?? -1);
  }
}

const say = (one: StompClient, more: object) =>
  refusal(
    one.send('/kafka/send-direct-message', {
      channelId: 7,
      userId: 1,
      name: 'a',
      profileImage: null,
      content: 'x',
      ...more,
    }),
  );

/** Random bytes, or a frame with some random bytes. */
function noise(): Buffer {
  const frames = [
    frameText('CONNECT', { 'accept-version': '1.2', 'access-token': system.token(1) }),
    frameText('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 0 }),
    frameText('SEND', { destination: '/kafka/send-direct-message' }, { channelId: 5, content: 'x' }),
    'CONNECT\n\n\0',
  ];
  const bytes =
    randomInt(2) === 0 ? randomBytes(randomInt(1, 2_000)) : Buffer.from(frames[randomInt(frames.length)] ?? '');
  for (let changes = randomInt(4); changes > 0; changes--) bytes[randomInt(bytes.length)] = randomInt(256);
  return bytes;
}

describe('noise', () => {
  it('survives 1,000 WebSocket messages of noise without a growing heap and serves the next client', {
    timeout: 120_000,
  }, async () => {
    await heapStaysFlat(probe, 4, async () => {
      let socket: WebSocket | null = null;
      for (let sent = 0; sent < 1_000; sent++) {
        if (socket === null || socket.readyState !== WebSocket.OPEN) {
          socket = new WebSocket(`${system.url.replace('http', 'ws')}/my-chat/websocket`, { perMessageDeflate: false });
          socket.on('error', () => {});
          await new Promise((resolve) => socket?.once('open', resolve));
        }
        const binary = randomInt(2) === 0;
        await new Promise((resolve) => socket?.send(binary ? noise() : noise().toString(), { binary }, resolve));
        if (sent % 20 === 0) await delay(1);
      }
      socket?.terminate();
      await othersAreServed();
    });
  });

  it('survives forms that are cut off in the middle without a growing heap and serves the next client', {
    timeout: 120_000,
  }, async () => {
    const head = `POST /chat-server/file HTTP/1.1\r\nHost: x\r\nAuthorization: ${system.token(1)}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n`;
    const field = (name: string, value: string) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const fields = field('channelId', '5') + field('type', 'direct') + field('userId', '1') + field('fileType', 'file');
    const file = `${fields}--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n${'x'.repeat(200_000)}`;
    await heapStaysFlat(probe, 4, async () => {
      for (let round = 0; round < 20; round++) {
        const one = new RawClient(port(), head);
        one.socket.write(file.slice(0, randomInt(1, file.length)));
        await delay(5);
        if (round % 2 === 0) one.socket.resetAndDestroy();
        else one.socket.end();
        await one.closed;
      }
      await othersAreServed();
    });
  });
});

describe('connections that do nothing', () => {
  it('closes silent sockets, half requests and WebSockets without CONNECT', { timeout: 60_000 }, async () => {
    const began = Date.now();
    const raw = (text: string) => new RawClient(port(), text);
    const open = [
      raw(''),
      raw('GET / HTTP/1.1\r\nHost: x\r\n'),
      raw('nonsense'),
      raw(upgradeRequest('/my-chat').slice(0, 90)),
    ];
    const trickling = raw('GET /');
    const drip = setInterval(() => trickling.socket.write('x'), 500);
    const webSocket = await StompClient.open({ url: system.url });
    const half = await StompClient.open({ url: system.url });
    half.raw('CONNECT\naccept-ver');
    expect((await webSocket.closed).reason).toBe('no CONNECT arrived within 2 seconds');
    await half.closed;
    expect(Date.now() - began).toBeLessThan(6_000);
    await Promise.all([...open, trickling].map(({ closed }) => closed));
    clearInterval(drip);
    expect(Date.now() - began).toBeLessThan(20_000);
    await othersAreServed();
  });

  it('refuses SockJS sessions of one address over the limit, and serves others again', async () => {
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        fetch(`${system.url}/my-chat/0/flood${index}/xhr`, { method: 'POST' }).then((answer) => answer.text()),
      ),
    );
    expect(answers.every((text) => text === 'o\n')).toBe(true);
    const polls = await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        fetch(`${system.url}/my-chat/0/flood${index}/xhr`, { method: 'POST' }).then((answer) => answer.text()),
      ),
    );
    const refused = polls.filter((text) => text === 'c[1008,"too many connections from one address"]\n');
    expect(refused.length).toBeGreaterThanOrEqual(70);
    // The accepted sessions send no CONNECT, so they are closed after a while and make room.
    for (let tries = 0; ; tries++) {
      const made = await othersAreServed().catch((error: unknown) => error);
      if (made === undefined) break;
      if (tries > 20) throw made;
      await delay(500);
    }
  });
});

describe('compression', () => {
  it('negotiates no compression for a WebSocket', async () => {
    const socket = new WebSocket(`${system.url.replace('http', 'ws')}/my-chat`, { perMessageDeflate: true });
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.extensions).toBe('');
    socket.terminate();
  });

  it('refuses a compressed HTTP body', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const answer = await fetch(`${system.url}/chat-server/message-count`, {
      method: 'POST',
      headers,
      body: randomBytes(100),
    });
    expect(await codeOf(answer)).toBe(2100);
  });
});

describe('headers', () => {
  it('refuses HTTP and STOMP headers that are too long or too many', async () => {
    const long = new RawClient(port(), `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(String(await long.until('\r\n\r\n'))).toMatch(/HTTP\/1.1 4/);
    for (const headers of [
      { x: 'y'.repeat(8_200) },
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`h${i}`, '1'])),
    ]) {
      const one = await StompClient.connect({ url: system.url, token: system.token(1) });
      one.raw(frameText('SEND', { destination: '/kafka/send-direct-message', ...headers }));
      await one.closed;
      expect(one.frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { code: '2413' } });
    }
  });

  it('keeps line ends and control characters of a client out of log lines and answers', async () => {
    const evil = 'x\n{"level":60,"msg":"forged"}\u001b[31m';
    const one = await client(1);
    await refusal(one.send('/kafka/no-such\nthing', {}, { 'x-evil': evil }));
    await say(one, { name: evil, content: evil });
    await fetch(`${system.url}/chat-server/${encodeURIComponent(evil)}`);
    const lines = (await system.server.log()).split('\n').filter((line) => line.includes('forged'));
    for (const line of lines) expect(JSON.parse(line).msg).not.toBe('forged');
    const other = await StompClient.open({ url: system.url });
    other.raw(`CONNECT\naccept-version:1.0\naccess-token:${system.token(1)}\n\n\0`);
    await other.next(({ command }) => command === 'CONNECTED');
    other.raw('SEND\ndestination:/kafka/x\nreceipt:a\\nseq:7\n\n{}\0');
    await other.closed;
    expect(other.frames.at(-1)?.headers).not.toHaveProperty('seq');
  });
});

describe('message bodies', () => {
  it.each<[string, object, number]>([
    ['an operator as a room', { channelId: { $gt: '' } }, 2100],
    ['a list as a room', { channelId: ['7'] }, 2100],
    ['a room with a sign', { channelId: '+7' }, 2100],
    ['a room beyond all numbers', { channelId: 1e300 }, 2100],
    ['an operator as the text', { content: { $ne: null } }, 2100],
    ['an operator as the nonce', { nonce: { $gt: '' } }, 2100],
    ['a nonce that is too long', { nonce: 'x'.repeat(65) }, 2100],
    ['a text that is too long', { content: 'x'.repeat(8_001) }, 2413],
    ['a name that is too long', { name: 'x'.repeat(201) }, 2413],
    ['a picture that is too long', { profileImage: 'x'.repeat(4_097) }, 2413],
  ])('refuses a message with %s', async (_, more, code) => {
    expect(await say(await client(1), more)).toBe(code);
  });

  it.each<[string, object]>([
    ['send-direct-reply', { parentId: { $gt: '' } }],
    ['send-direct-modify', { id: { $ne: '' } }],
    ['send-direct-delete', { id: ['0'.repeat(24)] }],
    ['join-channel', { type: 'state', channel_id: { $gt: '' } }],
    ['signaling', { type: 'enter', community_id: 1, channel_id: 'c-$where' }],
  ])('refuses a body of %s with database operators', async (destination, more) => {
    const body = { channelId: 7, userId: 1, name: 'a', profileImage: null, content: 'x', ...more };
    expect(await refusal((await client(1)).send(`/kafka/${destination}`, body))).toBe(2100);
  });

  it('ignores body fields that are named like prototype keys', async () => {
    const one = await client(1);
    const room = await one.subscribe('/topic/direct/7');
    const text =
      '{"__proto__":{"userId":2,"content":"forged"},"constructor":{"prototype":{"name":"forged"}},"channelId":7,"userId":1,"name":"a","content":"plain"}';
    await one.send('/kafka/send-direct-message', text);
    expect(await room.next(() => true)).toMatchObject({ message: 'plain', userId: '1', name: 'a' });
    expect(await refusal(one.send('/kafka/send-direct-message', '{"__proto__":{"channelId":7,"content":"x"}}'))).toBe(
      2100,
    );
  });

  it('refuses deeply nested JSON at once', async () => {
    const one = await client(1);
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    expect(await refusal(one.send('/kafka/send-direct-message', `{"channelId":7,"x":${deep}}`))).toBe(2100);
    const answer = await fetch(`${system.url}/chat-server/message-count`, { method: 'POST', body: deep });
    expect(await codeOf(answer)).toBe(2100);
  });

  it('refuses a body that is not valid UTF-8', async () => {
    const socket = new WebSocket(`${system.url.replace('http', 'ws')}/my-chat`, { perMessageDeflate: false });
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(String(data)));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(frameText('CONNECT', { 'accept-version': '1.2', 'access-token': system.token(1) }));
    const head = Buffer.from('SEND\ndestination:/kafka/send-direct-message\nreceipt:r\n\n{"channelId":7,"content":"');
    socket.send(Buffer.concat([head, Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}\0')]));
    await closed;
    expect(heard.at(-1)).toMatch(/^ERROR\n(.*\n)*code:2100/);
  });
});

it.each([
  '/chat-server/files/..%2f..%2f..%2fetc%2fpasswd?exp=9999999999&sig=AAAA',
  '/chat-server/files/%2e%2e/%2e%2e/etc/passwd',
  '/../../etc/passwd',
  '/%2e%2e/%2e%2e/package.json',
  '/my-chat/../../etc/passwd',
  '/chat-server/files/a%00b?exp=1&sig=1',
])('serves nothing outside of its folders: %s', async (path) => {
  const one = new RawClient(port(), `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await one.closed;
  expect(String(one.bytes)).toMatch(/^HTTP\/1.1 (400|403|404)/);
});

it('replays a long history of long messages completely', async () => {
  const one = await client(1);
  const content = '한'.repeat(8_000);
  for (let count = 0; count < 250; count++) {
    await one.send('/kafka/send-direct-message', { channelId: 9, userId: 1, name: 'a', profileImage: null, content });
  }
  const two = await client(2);
  const room = await two.subscribe('/topic/direct/9', { lastSeq: 0, receipt: false });
  const bodies = await room.atLeast(250);
  expect(bodies.map(({ seq }) => seq)).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
});

it('disconnects a client that stops reading, and delivers everything to the others', async () => {
  const [stopped, reading, one] = [await client(2), await client(2), await client(1)];
  await stopped.subscribe('/topic/direct/8');
  const room = await reading.subscribe('/topic/direct/8');
  stopped.pause();
  const content = '한'.repeat(8_000);
  const sent = 400;
  for (let count = 0; count < sent; count++) {
    await one.send('/kafka/send-direct-message', { channelId: 8, userId: 1, name: 'a', profileImage: null, content });
  }
  expect((await room.atLeast(sent, ({ message }) => message === content)).length).toBe(sent);
  stopped.resume();
  await stopped.closed;
});
