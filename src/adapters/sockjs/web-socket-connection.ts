import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { TransportName } from '../transport/connection.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import { SocketWriter } from '../transport/socket-writer.ts';
import { joinedTextFrame, openTextFrame, pingFrame, textFrame } from '../transport/web-socket-frame.ts';
import type { Identity } from './identity.ts';
import { type Host, Notifier } from './notifier.ts';
import type { LiveConnection, Wheel } from './wheel.ts';

const unansweredLimit = 2; // heart-beat intervals without a byte from the client
const copyLimit = 16 * 1024; // a longer shared tail is written on its own instead of copied
const longestReason = 123; // RFC 6455: a close frame's payload is at most 125 bytes, two of them the code

/** A `ws` socket that knows its connection, so that its listeners need no closures. */
export class ServerWebSocket extends WebSocket {
  connection: WebSocketConnection | undefined = undefined;

  /** Also called by `ws` itself, for a client that closes or breaks the protocol: what was sent before goes first. */
  override close(code?: number, reason?: string | Buffer): void {
    this.connection?.flush();
    super.close(code, reason);
  }
}

/**
 * A raw WebSocket. Incoming frames and the closing handshake are `ws`'s; outgoing messages go to the socket below it as
 * complete frames. The two never interleave: without compression `ws` writes each of its own frames at once.
 */
export class WebSocketConnection implements LiveConnection {
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
  wheelSlot = -1;
  readonly #host: Host;
  readonly #wheel: Wheel<LiveConnection>;
  readonly #ws: ServerWebSocket;
  readonly #socket: Socket;
  readonly #writer: SocketWriter;
  readonly #notifier: Notifier;
  #isOpen = true;
  #bytesSeen = -1;
  #unanswered = 0;

  constructor(ws: ServerWebSocket, socket: Socket, identity: Identity, host: Host, wheel: Wheel<LiveConnection>) {
    this.#ws = ws;
    this.#socket = socket;
    this.#writer = new SocketWriter(socket);
    this.#host = host;
    this.#wheel = wheel;
    this.#notifier = new Notifier(host);
    this.remoteAddress = identity.remoteAddress;
    this.headers = identity.headers;
    ws.connection = this;
    ws.on('message', onMessage);
    ws.on('close', onClose);
    ws.on('error', onError);
    wheel.add(this);
  }

  get transport(): TransportName {
    return 'raw-websocket';
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#ws.readyState === WebSocket.OPEN;
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  /** Introduces the connection to the application. */
  open(): void {
    this.#notifier.open(this);
  }

  send(text: string): void {
    this.write(textFrame(text));
  }

  sendShared(frame: SharedFrame, head?: string): void {
    if (head === undefined) this.write(frame.webSocketFrame);
    else this.writeJoined(head, frame.webSocketPayload);
  }

  drained(): Promise<void> {
    return this.#writer.drained();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.beforeClose(code, reason);
    this.fail(code, reason);
  }

  /** Hands over what only waits for the end of this turn. */
  flush(): void {
    this.#writer.flush();
  }

  /** Called for every message that arrives while the connection is open. */
  receive(data: Buffer, isBinary: boolean): void {
    this.deliver(isBinary ? data : data.toString());
  }

  /** The socket is gone, or the client began to close. */
  gone(code: number, reason: string): void {
    this.#end(code, reason);
  }

  /** Pings, or gives up a client that neither answered the last pings nor sent anything. */
  visit(): void {
    const bytes = this.#socket.bytesRead;
    if (bytes !== this.#bytesSeen || this.#ws.isPaused) this.#unanswered = 0;
    else this.#unanswered += 1;
    this.#bytesSeen = bytes;
    if (this.#unanswered >= unansweredLimit) this.#drop(1006, 'no answer to pings');
    else this.beat();
  }

  protected beat(): void {
    this.write(pingFrame);
  }

  protected beforeClose(_code: number, _reason: string): void {}

  protected deliver(message: string | Buffer): void {
    if (this.#isOpen) this.#notifier.message(this, message);
  }

  /** Closes without a word in the messages' own framing. */
  protected fail(code: number, reason: string): void {
    this.#end(code, reason);
    this.#ws.close(sendable(code), clipped(reason));
  }

  protected write(frame: Buffer): void {
    if (!this.isOpen) return;
    this.#writer.write(frame);
    if (this.#writer.bufferedBytes > this.#host.maxQueuedBytes) this.#relieve();
  }

  protected writeJoined(head: string, tail: Buffer): void {
    if (tail.length <= copyLimit) {
      this.write(joinedTextFrame(head, tail));
      return;
    }
    this.write(openTextFrame(head, tail.length));
    this.write(tail);
  }

  // What only waits for the end of this turn is not the client's fault: it is handed over first.
  #relieve(): void {
    this.#writer.flush();
    if (this.#writer.bufferedBytes > this.#host.maxQueuedBytes) this.#drop(1008, 'slow consumer');
  }

  #drop(code: number, reason: string): void {
    this.fail(code, reason);
    this.#socket.destroy();
  }

  #end(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#wheel.remove(this);
    this.#notifier.over(code, reason);
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  if (this instanceof ServerWebSocket && Buffer.isBuffer(data)) this.connection?.receive(data, isBinary);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  if (this instanceof ServerWebSocket) this.connection?.gone(code, reason.toString());
}

// ws has already begun to close with the fitting code: 1002, 1007 for bad UTF-8, 1009 for too large.
function onError(this: WebSocket, error: Error): void {
  if (this instanceof ServerWebSocket) this.connection?.gone(1006, error.message);
}

/** The close code to put on the wire: RFC 6455, section 7.4, forbids some. */
export function sendable(code: number): number {
  const isKnown = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  return isKnown || (code >= 3000 && code <= 4999) ? code : 1000;
}

function clipped(reason: string): string {
  if (Buffer.byteLength(reason) <= longestReason) return reason;
  // A character cut in half becomes a replacement character of three bytes: cut those off as well.
  const text = Buffer.from(reason).toString('utf8', 0, longestReason - 2);
  return text.endsWith('\ufffd') ? text.slice(0, -1) : text;
}
