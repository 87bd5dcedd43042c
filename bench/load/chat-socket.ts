import { connect, type Socket } from 'node:net';
import { clientFrame, connectText, pongFrame, subscribeText, upgradeRequest } from './wire.ts';

export type Form = 'raw' | 'sockjs';

/** Options of `connect`, as Node names them. */
export interface LocalEnd {
  readonly localAddress: string;
  readonly localPort: number;
}

export interface ChatSocketOptions {
  readonly port: number;
  readonly userId: number;
  readonly token: string;
  /** Default `raw`. */
  readonly form?: Form;
  /**
   * A MESSAGE or RECEIPT came. Its payload is `data` from `start` to `end`, and valid until the
   * call returns.
   */
  readonly onFrame?: (client: ChatSocket, data: Buffer, start: number, end: number) => void;
  /** The connection ended without `close`. */
  readonly onLost?: (client: ChatSocket) => void;
  /** The address and port of this machine from which it connects. */
  readonly from?: LocalEnd;
  /** Milliseconds until CONNECTED must have come. Default: no limit. */
  readonly openWithinMs?: number;
}

// All sockets read into the same bytes: each read is handled before the next one.
const shared = Buffer.allocUnsafe(256 * 1024);
const NOTHING = Buffer.alloc(0);
const HEADERS_END = Buffer.from('\r\n\r\n');

const CONNECTED = 67;
const ERROR = 69;

/**
 * The client of the load generator. Tests and other programs use StompClient and StompConnection of
 * `dev/`. This one differs, because ten thousand of them must run beside the server that they
 * measure. It reads from a bare socket, keeps no buffer while it waits, and allocates nothing for a
 * frame.
 */
export class ChatSocket {
  readonly userId: number;
  /** `performance.now()` of the last read of any client. */
  static readAt = 0;
  readonly #options: ChatSocketOptions;
  readonly #socket: Socket;
  readonly #ready = Promise.withResolvers<void>();
  readonly #letter: number;
  #upgraded = false;
  #closed = false;
  #problem = 'the connection was closed';
  #rest = NOTHING;

  /** Resolves when CONNECTED has come. @throws Error with the server's answer otherwise */
  static async open(options: ChatSocketOptions): Promise<ChatSocket> {
    const client = new ChatSocket(options);
    await client.#ready.promise;
    return client;
  }

  private constructor(options: ChatSocketOptions) {
    this.#options = options;
    this.userId = options.userId;
    this.#letter = options.form === 'sockjs' ? 3 : 0;
    const onread = { buffer: shared, callback: (bytes: number) => this.#read(bytes) };
    const { port, from, openWithinMs } = options;
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread, ...from });
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(this.#path(), port)));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#problem = error.code ?? error.message;
    });
    this.#socket.on('close', () => this.#gone(this.#problem));
    if (openWithinMs === undefined) return;
    this.#socket.setTimeout(openWithinMs, () => this.#gone(`no CONNECTED within ${openWithinMs} ms`));
  }

  /** @param lastSeq the client has the events up to this number; null: it wants only live ones */
  subscribe(id: string, destination: string, receipt: string | null = null, lastSeq: number | null = null): void {
    this.sendText(subscribeText(id, destination, receipt, lastSeq));
  }

  sendText(text: string): void {
    this.#socket.write(clientFrame(this.#options.form === 'sockjs' ? JSON.stringify([text]) : text));
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #path(): string {
    if (this.#options.form !== 'sockjs') return '/my-chat/websocket';
    return `/my-chat/000/${Math.random().toString(36).slice(2, 10).padEnd(8, '0')}/websocket`;
  }

  #read(bytes: number): boolean {
    ChatSocket.readAt = performance.now();
    let data = shared.subarray(0, bytes);
    if (this.#rest.length > 0) {
      data = Buffer.concat([this.#rest, data]);
      this.#rest = NOTHING;
    }
    let at = 0;
    if (!this.#upgraded) {
      const end = data.indexOf(HEADERS_END);
      if (end < 0) return this.#keep(data, 0);
      if (!data.toString('latin1', 0, 12).endsWith('101')) {
        this.#gone(data.toString('latin1', 0, end).split('\r\n')[0] ?? '');
        return true;
      }
      this.#upgraded = true;
      this.#hello();
      at = end + HEADERS_END.length;
    }
    while (at + 2 <= data.length) {
      const marker = data[at + 1] ?? 0;
      const head = marker < 126 ? 2 : marker === 126 ? 4 : 10;
      if (at + head > data.length) break;
      const size = head === 2 ? marker : head === 4 ? data.readUInt16BE(at + 2) : data.readUIntBE(at + 4, 6);
      const end = at + head + size;
      if (end > data.length) break;
      this.#frame(data, data[at] ?? 0, at + head, end);
      at = end;
    }
    return this.#keep(data, at);
  }

  #keep(data: Buffer, from: number): boolean {
    if (from < data.length) this.#rest = Buffer.from(data.subarray(from));
    return true;
  }

  #frame(data: Buffer, kind: number, start: number, end: number): void {
    if (kind === 0x89) this.#socket.write(pongFrame);
    if (kind !== 0x81) return;
    const letter = data[start + this.#letter];
    if (letter === CONNECTED) this.#connected();
    else if (letter === ERROR) this.#gone(data.toString('utf8', start, end));
    else if (end - start > 3) this.#options.onFrame?.(this, data, start, end);
  }

  #connected(): void {
    if (this.#options.openWithinMs !== undefined) this.#socket.setTimeout(0);
    this.#ready.resolve();
  }

  #hello(): void {
    this.sendText(connectText(this.#options.token, this.#options.userId));
  }

  #gone(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#ready.promise.catch(() => {});
    this.#ready.reject(new Error(`user ${this.userId}: ${reason}`));
    this.#options.onLost?.(this);
  }
}
