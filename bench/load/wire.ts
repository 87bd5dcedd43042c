/** Bytes that a client sends. Frames are masked as RFC 6455 asks of clients, with the key 0, under which the payload stays readable. */

const MASKED = 0x80;
const TEXT = 0x81;
const PONG = 0x8a;

/** One complete WebSocket frame of a client. */
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

/** The request that turns a connection into a WebSocket. */
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
  const headers = `accept-version:1.2\nheart-beat:0,0\naccess-token:${token}\nuser-id:${userId}`;
  return `CONNECT\n${headers}\n\n\0`;
}

export function subscribeText(id: string, destination: string, receipt: string | null = null): string {
  const asked = receipt === null ? '' : `receipt:${receipt}\n`;
  return `SUBSCRIBE\nid:${id}\ndestination:${destination}\n${asked}\n\0`;
}

/** A direct message. `content` must need no escaping. */
export function messageText(room: number, userId: number, content: string, receipt: string | null): string {
  const asked = receipt === null ? '' : `receipt:${receipt}\n`;
  const body = `{"channelId":${room},"userId":${userId},"name":"user${userId}","profileImage":null,"content":"${content}"}`;
  return `SEND\ndestination:/kafka/send-direct-message\n${asked}content-length:${body.length}\n\n${body}\0`;
}
