import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import type { SockJsOptions } from '../src/adapters/sockjs/options.ts';
import { createSockJs, type SockJs } from '../src/adapters/sockjs/sock-js.ts';
import type { Connection, ConnectionListener } from '../src/adapters/transport/connection.ts';

/** Records the events of one connection. */
export class Recorder implements ConnectionListener {
  readonly connection: Connection;
  readonly messages: (string | Buffer)[] = [];
  readonly closed = Promise.withResolvers<{ code: number; reason: string }>();
  closings = 0;
  #arrival = Promise.withResolvers<void>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  onMessage(message: string | Buffer): void {
    this.messages.push(message);
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers<void>();
  }

  onClose(code: number, reason: string): void {
    this.closings += 1;
    this.closed.resolve({ code, reason });
  }

  async received(count: number): Promise<readonly (string | Buffer)[]> {
    while (this.messages.length < count) await this.#arrival.promise;
    return this.messages;
  }
}

export interface SockJsHost extends AsyncDisposable {
  readonly sockJs: SockJs;
  readonly port: number;
  readonly errors: unknown[];
  /** The next connection in the order in which they were opened. */
  accepted(): Promise<Recorder>;
  url(path: string): string;
}

/**
 * Starts a server on loopback with one SockJS service under `/chat`. Other requests are answered
 * with 418.
 */
export async function startSockJsHost(options: Partial<SockJsOptions> = {}): Promise<SockJsHost> {
  const waiting: Recorder[] = [];
  const errors: unknown[] = [];
  let arrival = Promise.withResolvers<void>();
  const sockJs = createSockJs({
    prefix: '/chat',
    onConnection: (connection) => {
      const recorder = new Recorder(connection);
      waiting.push(recorder);
      arrival.resolve();
      arrival = Promise.withResolvers<void>();
      return recorder;
    },
    onError: (error) => errors.push(error),
    ...options,
  });
  const server = createServer((request, response) => {
    if (!sockJs.handleRequest(request, response)) response.writeHead(418).end();
  });
  server.on('upgrade', (request, socket, head) => {
    if (!sockJs.handleUpgrade(request, socket, head)) socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    sockJs,
    port,
    errors,
    url: (path) => `http://127.0.0.1:${port}${path}`,
    async accepted() {
      for (;;) {
        const recorder = waiting.shift();
        if (recorder !== undefined) return recorder;
        await arrival.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      sockJs.close(1012, 'the test is over');
      server.close();
      server.closeAllConnections();
    },
  };
}

export function echo(connection: Connection): ConnectionListener {
  return { onMessage: (message) => connection.send(message.toString()), onClose: () => {} };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

function begin(url: string, { method = 'GET', headers = {}, body }: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method, headers, agent: new Agent() }, resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends one request and reads the whole answer. */
export async function call(url: string, options: Call = {}): Promise<Answer> {
  const response = await begin(url, options);
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

export function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return call(url, { headers });
}

export function post(url: string, body: string | Buffer = '', headers: Record<string, string> = {}): Promise<Answer> {
  return call(url, { method: 'POST', headers, body });
}

/** A streaming response. */
export class Stream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Resolves to the rest of the text when the server has ended the response. */
  readonly ended: Promise<string>;
  readonly #response: IncomingMessage;
  #text = '';
  #arrival = Promise.withResolvers<void>();

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    const ended = Promise.withResolvers<string>();
    this.ended = ended.promise;
    response.on('end', () => ended.resolve(this.#text));
    response.on('error', () => this.#wake());
    response.on('close', () => this.#wake());
  }

  static async open(url: string, options: Call = {}): Promise<Stream> {
    return new Stream(await begin(url, options));
  }

  /**
   * Reads up to the end of the given text and returns all of it.
   * @throws Error if the response ends before
   */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(text);
      if (at !== -1) {
        const read = this.#text.slice(0, at + text.length);
        this.#text = this.#text.slice(read.length);
        return read;
      }
      if (this.#response.closed) throw new Error(`ended before ${JSON.stringify(text)}: ${this.#text}`);
      await this.#arrival.promise;
    }
  }

  abort(): void {
    this.#response.destroy();
  }

  #wake(): void {
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers<void>();
  }
}

/** A WebSocket client that keeps the messages until they are read. */
export class WebSocketClient {
  readonly ws: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  #arrived: string[] = [];
  #arrival = Promise.withResolvers<void>();

  constructor(url: string, protocols: readonly string[] = [], options: ClientOptions = {}) {
    this.ws = new WebSocket(url.replace('http', 'ws'), [...protocols], options);
    this.ws.on('message', (data) => {
      this.#arrived.push(String(data));
      this.#arrival.resolve();
      this.#arrival = Promise.withResolvers<void>();
    });
    const closed = Promise.withResolvers<{ code: number; reason: string }>();
    this.closed = closed.promise;
    this.ws.on('close', (code, reason) => closed.resolve({ code, reason: reason.toString() }));
    this.ws.on('error', () => {});
  }

  async next(): Promise<string> {
    for (;;) {
      const message = this.#arrived.shift();
      if (message !== undefined) return message;
      await this.#arrival.promise;
    }
  }

  async opened(): Promise<this> {
    await once(this.ws, 'open');
    return this;
  }
}

/** The answer with which an upgrade was refused. */
export async function refusal(url: string, options: ClientOptions = {}): Promise<Answer> {
  const ws = new WebSocket(url.replace('http', 'ws'), options);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    ws.on('unexpected-response', (_request, answer) => resolve(answer));
    ws.on('open', () => reject(new Error('the upgrade was not refused')));
    ws.on('error', () => {});
  });
  response.resume();
  ws.on('error', () => {});
  ws.terminate();
  return { status: response.statusCode ?? 0, headers: response.headers, body: '' };
}

/** A bare TCP connection that keeps all bytes that arrive. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(port: number, text = '') {
    this.socket = connect(port, '127.0.0.1');
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
    this.socket.on('error', () => {});
    this.socket.write(text, 'latin1');
  }

  /** All bytes so far. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** All bytes so far, as soon as they contain the given text (latin1). */
  async until(text: string): Promise<Buffer> {
    while (!this.#bytes.includes(text, 0, 'latin1')) {
      await Promise.race([once(this.socket, 'data'), this.closed]);
      if (this.socket.destroyed) throw new Error(`closed before ${JSON.stringify(text)}: ${this.#bytes}`);
    }
    return this.#bytes;
  }
}

export function upgradeRequest(path: string, headers: readonly string[] = []): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
    '\r\n',
  ].join('\r\n');
}
