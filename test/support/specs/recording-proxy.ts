import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse, request as send } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketTexts } from './web-socket-texts.ts';

/** An answer of the server, with the request that it answers. */
export interface RecordedAnswer {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly sent: string;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A text message of a WebSocket. */
export interface RecordedText {
  /** Number of the connection. */
  readonly connection: number;
  readonly target: string;
  readonly from: 'client' | 'server';
  readonly text: string;
}

export interface TrafficListener {
  answer(answer: RecordedAnswer): void;
  text(text: RecordedText): void;
}

/**
 * A proxy in front of a server that reports all answers and WebSocket messages. It changes nothing:
 * requests keep their headers, and the bytes of WebSockets pass as they are.
 */
export class RecordingProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(server: Server, sockets: Set<Duplex>) {
    this.#server = server;
    this.#sockets = sockets;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string, listener: TrafficListener): Promise<RecordingProxy> {
    const { hostname, port } = new URL(target);
    const sockets = new Set<Duplex>();
    let connections = 0;
    const server = createServer((request, response) => {
      forward(request, response, { hostname, port: Number(port) }, listener);
    });
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    });
    server.on('upgrade', (request, socket, head) => {
      const upstream = connect(Number(port), hostname);
      sockets.add(upstream);
      upstream.on('close', () => sockets.delete(upstream));
      connections += 1;
      tunnel(request, socket, head, upstream, { connection: connections, target: request.url ?? '' }, listener);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new RecordingProxy(server, sockets);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  to: { readonly hostname: string; readonly port: number },
  listener: TrafficListener,
): void {
  const { method = '', url: target = '', rawHeaders } = request;
  const sent: Buffer[] = [];
  const received: Buffer[] = [];
  const upstream = send({ ...to, method, path: target, setHost: false, headers: rawHeaders as never });
  request.on('data', (chunk: Buffer) => sent.push(chunk)).pipe(upstream);
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  upstream.on('response', (answer) => {
    const { statusCode: status = 0, headers } = answer;
    response.writeHead(status, answer.rawHeaders as never);
    response.flushHeaders();
    answer.on('data', (chunk: Buffer) => received.push(chunk)).pipe(response);
    answer.on('close', () => {
      const body = Buffer.concat(received).toString();
      listener.answer({ method, target, sent: Buffer.concat(sent).toString(), status, headers, body });
    });
    answer.on('error', () => response.destroy());
  });
}

function tunnel(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  upstream: Socket,
  origin: Pick<RecordedText, 'connection' | 'target'>,
  listener: TrafficListener,
): void {
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
  }
  upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
  upstream.write(head);
  const fromClient = new WebSocketTexts((text) => listener.text({ ...origin, from: 'client', text }));
  const fromServer = new WebSocketTexts((text) => listener.text({ ...origin, from: 'server', text }));
  fromClient.push(head);
  client.on('data', (chunk: Buffer) => fromClient.push(chunk));
  let handshake: Buffer | null = Buffer.of();
  upstream.on('data', (chunk: Buffer) => {
    if (handshake === null) {
      fromServer.push(chunk);
      return;
    }
    handshake = Buffer.concat([handshake, chunk]);
    const end = handshake.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (handshake.toString('latin1').startsWith('HTTP/1.1 101')) fromServer.push(handshake.subarray(end + 4));
    handshake = null;
  });
  client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
  upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
}
