import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Identity } from './identity.ts';
import { LegacyWebSocketConnection } from './legacy-web-socket-connection.ts';
import type { Host } from './notifier.ts';
import type { LiveConnection, Wheel } from './wheel.ts';

/**
 * The handshake of draft-ietf-hybi-thewebsocketprotocol-00 (hixie-76), which the SockJS protocol's tests still ask for:
 * the answer goes out before the last eight bytes of the request have come.
 */

const nonceBytes = 8;
const nonceTimeout = 10_000; // milliseconds

/** Whether an upgrade request speaks that draft. */
export function isLegacyRequest(request: IncomingMessage): boolean {
  return request.headers['sec-websocket-key1'] !== undefined && request.headers['sec-websocket-key2'] !== undefined;
}

/** Answers the handshake, and opens a connection once the client has completed it. */
export function acceptLegacy(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  isSockJs: boolean,
  identity: Identity,
  host: Host & { readonly maxPayload: number },
  wheel: Wheel<LiveConnection>,
): void {
  socket.on('error', ignoreError);
  const first = keyNumber(request.headers['sec-websocket-key1']);
  const second = keyNumber(request.headers['sec-websocket-key2']);
  if (first === undefined || second === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    socket.destroySoon();
    return;
  }
  socket.setNoDelay(true);
  socket.write(handshake(request));
  let nonce = head;
  const onData = (chunk: Buffer) => {
    nonce = Buffer.concat([nonce, chunk]);
    if (nonce.length < nonceBytes) return;
    socket.off('data', onData);
    socket.off('end', giveUp);
    socket.off('timeout', giveUp);
    socket.setTimeout(0);
    socket.write(challengeAnswer(first, second, nonce.subarray(0, nonceBytes)));
    const connection = new LegacyWebSocketConnection(socket, isSockJs, identity, host, wheel);
    connection.open();
    connection.read(nonce.subarray(nonceBytes));
  };
  const giveUp = () => socket.destroy();
  socket.on('data', onData);
  socket.on('end', giveUp);
  socket.setTimeout(nonceTimeout, giveUp);
  onData(Buffer.alloc(0));
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

/** A key's digits divided by the number of its spaces; undefined where that is no whole 32-bit number. */
function keyNumber(key: string | string[] | undefined): number | undefined {
  if (typeof key !== 'string') return undefined;
  const spaces = key.split(' ').length - 1;
  const value = Number(key.replace(/\D/g, '')) / spaces;
  return Number.isInteger(value) && value < 2 ** 32 ? value : undefined;
}

function challengeAnswer(first: number, second: number, nonce: Buffer): Buffer {
  const challenge = Buffer.alloc(8 + nonceBytes);
  challenge.writeUInt32BE(first, 0);
  challenge.writeUInt32BE(second, 4);
  challenge.set(nonce, 8);
  return createHash('md5').update(challenge).digest();
}
