import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Upgrade } from '../../src/adapters/sockjs/options.ts';
import { Hixie76Connection } from './connection.ts';

/** Bytes that the client sends behind its request. */
const NONCE_BYTES = 8;
const NONCE_TIMEOUT_MS = 10_000;

/**
 * Accepts WebSockets of draft-ietf-hybi-thewebsocketprotocol-00 (hixie-76), which the public SockJS
 * test suite still asks for. The answer is sent before the last eight bytes of the request arrive.
 */
export function acceptHixie76(upgrade: Upgrade): boolean {
  const { request, socket, head } = upgrade;
  const key1 = request.headers['sec-websocket-key1'];
  const key2 = request.headers['sec-websocket-key2'];
  if (key1 === undefined || key2 === undefined) return false;
  socket.on('error', ignoreError);
  const first = keyNumber(key1);
  const second = keyNumber(key2);
  if (first === null || second === null) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    socket.destroySoon();
    return true;
  }
  socket.setNoDelay(true);
  socket.write(handshake(request));
  let nonce = head;
  const onData = (chunk: Buffer) => {
    nonce = Buffer.concat([nonce, chunk]);
    if (nonce.length < NONCE_BYTES) return;
    socket.off('data', onData);
    socket.off('end', giveUp);
    socket.off('timeout', giveUp);
    socket.setTimeout(0);
    socket.write(challengeAnswer(first, second, nonce.subarray(0, NONCE_BYTES)));
    const connection = new Hixie76Connection(upgrade);
    connection.open();
    connection.read(nonce.subarray(NONCE_BYTES));
  };
  const giveUp = () => socket.destroy();
  socket.on('data', onData);
  socket.on('end', giveUp);
  socket.setTimeout(NONCE_TIMEOUT_MS, giveUp);
  onData(Buffer.alloc(0));
  return true;
}

function ignoreError(): void {}

function handshake(request: IncomingMessage): string {
  const { origin, host } = request.headers;
  const scheme = 'encrypted' in request.socket ? 'wss' : 'ws';
  return [
    'HTTP/1.1 101 WebSocket Protocol Handshake',
    'Upgrade: WebSocket',
    'Connection: Upgrade',
    ...(origin === undefined ? [] : [`Sec-WebSocket-Origin: ${origin}`]),
    `Sec-WebSocket-Location: ${scheme}://${host ?? ''}${request.url ?? ''}`,
    '\r\n',
  ].join('\r\n');
}

/**
 * The digits of a key divided by the number of its spaces. Null if that is not a 32-bit integer.
 */
function keyNumber(key: string | string[]): number | null {
  if (typeof key !== 'string') return null;
  const spaces = key.split(' ').length - 1;
  const value = Number(key.replace(/\D/g, '')) / spaces;
  return Number.isInteger(value) && value < 2 ** 32 ? value : null;
}

function challengeAnswer(first: number, second: number, nonce: Buffer): Buffer {
  const challenge = Buffer.alloc(8 + NONCE_BYTES);
  challenge.writeUInt32BE(first, 0);
  challenge.writeUInt32BE(second, 4);
  challenge.set(nonce, 8);
  return createHash('md5').update(challenge).digest();
}
