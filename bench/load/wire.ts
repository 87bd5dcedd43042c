/**
 * The bytes that the load generator sends. RFC 6455 requires a client to mask its frames. The mask
 * here is 0, which leaves the payload unchanged.
 */
import { frameText } from '../../src/bootstrap/cli/load/stomp-frame.ts';

const MASKED = 0x80;
const TEXT = 0x81;
const PONG = 0x8a;

/** Returns a complete WebSocket frame of a client. */
export function clientFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const headBytes = bytes < 126 ? 6 : bytes < 65_536 ? 8 : 14;
  const frame = Buffer.alloc(headBytes + bytes);
  frame[0] = TEXT;
  if (headBytes === 6) frame[1] = MASKED | bytes;
  else if (headBytes === 8) {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = MASKED | 127;
    frame.writeUIntBE(bytes, 4, 6);
  }
  frame.write(text, headBytes);
  return frame;
}

export const pongFrame: Buffer = Buffer.from([PONG, MASKED, 0, 0, 0, 0]);

/** Returns the upgrade request of a WebSocket. */
export function upgradeRequest(path: string, port: number): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: v12.stomp',
    '\r\n',
  ].join('\r\n');
}

export function connectText(token: string, userId: number): string {
  const headers = { 'accept-version': '1.2', 'heart-beat': '0,0', 'access-token': token, 'user-id': userId };
  return frameText('CONNECT', headers);
}

export function subscribeText(
  id: string,
  destination: string,
  receipt: string | null = null,
  lastSeq: number | null = null,
): string {
  const resume = lastSeq === null ? {} : { 'last-seq': lastSeq };
  return frameText('SUBSCRIBE', { id, destination, ...(receipt === null ? {} : { receipt }), ...resume });
}

/**
 * Text of a direct message. It is made for each message of a load, so `content` is not escaped and
 * must need no escaping.
 */
export function messageText(room: number, userId: number, content: string, receipt: string | null): string {
  const receiptLine = receipt === null ? '' : `receipt:${receipt}\n`;
  const body = `{"channelId":${room},"userId":${userId},"name":"user${userId}","profileImage":null,"content":"${content}"}`;
  return `SEND\ndestination:/kafka/send-direct-message\n${receiptLine}content-length:${body.length}\n\n${body}\0`;
}
