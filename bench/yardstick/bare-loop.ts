/**
 * The lowest cost of a fan-out on `ws`: no token, no membership, no sequence, no store. A MESSAGE
 * frame is built once, the same buffer is written to each subscriber, and all writes of one turn of
 * the event loop leave together. The difference to this is the cost of a chat server.
 */
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

const rooms = new Map<string, Duplex[]>();
let corked: Duplex[] = [];
let seq = 0;

function frameOf(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const head = bytes < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(head + bytes);
  frame[0] = 0x81;
  frame[1] = bytes < 126 ? bytes : 126;
  if (head === 4) frame.writeUInt16BE(bytes, 2);
  frame.write(text, head);
  return frame;
}

function flush(): void {
  const sockets = corked;
  corked = [];
  for (const socket of sockets) socket.uncork();
}

function write(socket: Duplex, frame: Buffer): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    if (corked.push(socket) === 1) setImmediate(flush);
  }
  socket.write(frame);
}

function headerOf(text: string, name: string): string {
  const at = text.indexOf(`\n${name}:`);
  return text.slice(at + name.length + 2, text.indexOf('\n', at + 1));
}

function send(text: string): void {
  const body = text.slice(text.indexOf('\n\n') + 2, -1);
  const destination = `/topic/direct/${JSON.parse(body).channelId}`;
  seq += 1;
  const frame = frameOf(
    `MESSAGE\ndestination:${destination}\nsubscription:sub-0\nmessage-id:${seq}\ncontent-length:${body.length}\n\n${body}\0`,
  );
  for (const socket of rooms.get(destination) ?? []) write(socket, frame);
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
server.on('connection', (ws, request) => {
  const { socket } = request;
  ws.on('error', () => {});
  ws.on('message', (data) => {
    const text = String(data);
    if (text.startsWith('SEND')) send(text);
    else if (text.startsWith('SUBSCRIBE')) {
      const destination = headerOf(text, 'destination');
      const room = rooms.get(destination);
      if (room === undefined) rooms.set(destination, [socket]);
      else room.push(socket);
      write(socket, frameOf(`RECEIPT\nreceipt-id:${headerOf(text, 'receipt')}\n\n\0`));
    } else write(socket, frameOf('CONNECTED\nversion:1.2\n\n\0'));
  });
});
server.on('listening', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
