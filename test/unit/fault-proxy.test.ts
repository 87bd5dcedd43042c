import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';

let echo: Server;
let proxy: FaultProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.start({ target: proxyTarget(), delayMs: 150, floodBytes: 5 * 1024 * 1024 });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.stop();
  await proxy.stop();
  await new Promise((resolve) => echo.close(resolve));
});

function proxyTarget(): number {
  return (echo.address() as AddressInfo).port;
}

async function connected(): Promise<Socket> {
  const socket = dial(proxy.port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

/** Waits for the end of a socket. `once` would reject with the error of a reset. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function echoed(socket: Socket, word: string): Promise<string> {
  const answer = once(socket, 'data');
  socket.write(word);
  const [data] = await answer;
  return String(data);
}

it('passes bytes in both directions until the connections are cut', async () => {
  const socket = await connected();
  expect(await echoed(socket, 'hello')).toBe('hello');
  const closed = closing(socket);
  proxy.cut();
  await closed;
  expect(await echoed(await connected(), 'again')).toBe('again');
  expect(proxy.accepted).toBe(2);
});

it('closes the port in mode refuse, and opens it again', async () => {
  const before = await connected();
  const closed = closing(before);
  await proxy.setMode('refuse');
  await closed;
  await expect(connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await proxy.setMode('pass');
  expect(await echoed(await connected(), 'back')).toBe('back');
});

it('keeps connections open and silent in mode hang, and lets them continue afterwards', async () => {
  const before = await connected();
  expect(await echoed(before, 'a')).toBe('a');
  await proxy.setMode('hang');
  const during = await connected();
  let heard = 0;
  for (const socket of [before, during]) socket.on('data', () => (heard += 1));
  before.write('b');
  during.write('c');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard).toBe(0);
  const answers = Promise.all([once(before, 'data'), once(during, 'data')]);
  await proxy.setMode('pass');
  expect((await answers).map(([data]) => String(data))).toEqual(['b', 'c']);
});

it('delays bytes in each direction in mode slow', async () => {
  await proxy.setMode('slow');
  const socket = await connected();
  const start = performance.now();
  expect(await echoed(socket, 'hello')).toBe('hello');
  expect(performance.now() - start).toBeGreaterThan(280);
});

it('resets a connection at once in mode reset', async () => {
  await proxy.setMode('reset');
  const socket = dial(proxy.port, '127.0.0.1');
  const [error] = await once(socket, 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET' });
});

it('answers a request with random bytes in mode garbage', async () => {
  await proxy.setMode('garbage');
  const answer = await echoed(await connected(), 'hello');
  expect(answer).not.toContain('hello');
  expect(answer.length).toBeGreaterThan(0);
});

it('sends megabytes without a line end in mode flood', async () => {
  await proxy.setMode('flood');
  const socket = await connected();
  let bytes = 0;
  let lineEnds = 0;
  for await (const chunk of socket) {
    bytes += chunk.length;
    if (chunk.includes('\n')) lineEnds += 1;
    if (bytes >= 5 * 1024 * 1024) break;
  }
  expect([bytes, lineEnds]).toEqual([5 * 1024 * 1024, 0]);
});

it('passes only the bytes of the client while it is mute', async () => {
  const accepted = once(echo, 'connection');
  const socket = await connected();
  const [service] = (await accepted) as [Socket];
  await proxy.setMode('mute');
  const received: string[] = [];
  socket.on('data', (data) => received.push(String(data)));
  for (const word of ['one', 'two', 'three']) {
    const reached = once(service, 'data');
    socket.write(word);
    await reached;
  }
  expect(received).toEqual([]);
  const answer = once(socket, 'data');
  await proxy.setMode('pass');
  await answer;
  expect(received.join('')).toMatch(/^one/);
});

it('delays only the bytes that are lost in mode lossy, and keeps the order', async () => {
  let isLost = false;
  const lossy = await FaultProxy.start({ target: proxyTarget(), mode: 'lossy', random: () => (isLost ? 0 : 0.5) });
  const socket = dial(lossy.port, '127.0.0.1');
  sockets.push(socket);
  expect(await echoed(socket, 'a')).toBe('a');
  isLost = true;
  const start = performance.now();
  const lost = echoed(socket, 'b');
  await new Promise((resolve) => setTimeout(resolve, 50));
  isLost = false;
  let rest = '';
  socket.on('data', (data) => (rest += String(data)));
  socket.write('c');
  await lost;
  expect(performance.now() - start).toBeGreaterThan(180);
  await expect.poll(() => rest).toBe('bc');
  await lossy.stop();
});
