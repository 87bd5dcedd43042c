import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { NO_ANSWER_TO_PINGS, SLOW_CONSUMER, type TransportName } from '../transport/connection.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import { SocketWriter } from '../transport/socket-writer.ts';
import { joinedTextFrame, openTextFrame, PING_FRAME, textFrame } from '../transport/web-socket-frame.ts';
import { type ConnectionHost, GuardedListener } from './guarded-listener.ts';
import type { Upgrade } from './options.ts';
import type { LiveConnection, Wheel } from './wheel.ts';

/** Heart-beat intervals without a byte from the client until it is given up. */
const MAX_UNANSWERED = 2;
/** A longer shared tail is written as its own chunk instead of being copied. */
const MAX_COPIED_BYTES = 16 * 1024;
/** The code with which `ws` closes for a message over `maxPayload`. */
const MESSAGE_TOO_LARGE = 1009;
/** RFC 6455: the payload of a close frame has at most 125 bytes. Two of them are the code. */
const MAX_REASON_BYTES = 123;

/**
 * A WebSocket of `ws` that has a field for its connection, so that its event listeners need no
 * closures.
 */
export class ServerWebSocket extends WebSocket {
  connection: WebSocketConnection | null = null;

  /**
   * Sends the written messages first. `ws` also calls it for a client that closes or violates the
   * protocol.
   */
  override close(code?: number, reason?: string | Buffer): void {
    if (code === MESSAGE_TOO_LARGE) this.connection?.tooLarge();
    this.connection?.flush();
    super.close(code, reason);
  }
}

/**
 * A raw WebSocket. `ws` reads the incoming frames and does the closing handshake. Outgoing messages
 * are written to the socket as complete frames. The two writers never interleave, because without
 * compression `ws` writes each of its own frames at once.
 */
export class WebSocketConnection implements LiveConnection {
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
  wheelSlot = -1;
  readonly #host: ConnectionHost;
  readonly #wheel: Wheel<LiveConnection>;
  readonly #ws: ServerWebSocket;
  readonly #socket: Socket;
  readonly #writer: SocketWriter;
  readonly #listener: GuardedListener;
  #isOpen = true;
  #bytesSeen = -1;
  #unanswered = 0;

  constructor(ws: ServerWebSocket, { socket, identity, host, wheel }: Upgrade) {
    this.#ws = ws;
    this.#socket = socket;
    this.#writer = new SocketWriter(socket);
    this.#host = host;
    this.#wheel = wheel;
    this.#listener = new GuardedListener(host);
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
    this.#listener.open(this);
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

  /** Writes what waits for the end of this turn of the event loop. */
  flush(): void {
    this.#writer.flush();
  }

  /** Handles a message of the client. */
  receive(data: Buffer, isBinary: boolean): void {
    this.deliver(isBinary ? data : data.toString());
  }

  /** Handles a message over the limit, before `ws` closes. */
  tooLarge(): void {
    if (this.#isOpen) this.#listener.tooLarge(this);
  }

  /** Handles the end: the socket is gone, or the client has begun to close. */
  gone(code: number, reason: string): void {
    this.#end(code, reason);
  }

  /** Sends a ping, or gives up a client that sent nothing since the last pings. */
  visit(): void {
    const bytes = this.#socket.bytesRead;
    if (bytes !== this.#bytesSeen || this.#ws.isPaused) this.#unanswered = 0;
    else this.#unanswered += 1;
    this.#bytesSeen = bytes;
    if (this.#unanswered >= MAX_UNANSWERED) this.#drop(1006, NO_ANSWER_TO_PINGS);
    else this.beat();
  }

  protected beat(): void {
    this.write(PING_FRAME);
  }

  protected beforeClose(_code: number, _reason: string): void {}

  protected deliver(message: string | Buffer): void {
    if (this.#isOpen) this.#listener.message(this, message);
  }

  /** Closes without a SockJS close frame. */
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
    if (tail.length <= MAX_COPIED_BYTES) {
      this.write(joinedTextFrame(head, tail));
      return;
    }
    this.write(openTextFrame(head, tail.length));
    this.write(tail);
  }

  // Bytes that only wait for the end of this turn are not the client's fault. Flush them first.
  #relieve(): void {
    this.#writer.flush();
    if (this.#writer.bufferedBytes > this.#host.maxQueuedBytes) this.#drop(1008, SLOW_CONSUMER);
  }

  #drop(code: number, reason: string): void {
    this.fail(code, reason);
    this.#socket.destroy();
  }

  #end(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#wheel.remove(this);
    this.#listener.end(code, reason);
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  if (this instanceof ServerWebSocket && Buffer.isBuffer(data)) this.connection?.receive(data, isBinary);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  if (this instanceof ServerWebSocket) this.connection?.gone(code, reason.toString());
}

// `ws` has already begun to close with the right code: 1002, 1007 for invalid UTF-8, 1009 for too
// large.
function onError(this: WebSocket, error: Error): void {
  if (this instanceof ServerWebSocket) this.connection?.gone(1006, error.message);
}

/** The close code for the wire. RFC 6455, section 7.4, forbids some codes; they become 1000. */
export function sendable(code: number): number {
  const isKnown = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  return isKnown || (code >= 3000 && code <= 4999) ? code : 1000;
}

function clipped(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return reason;
  // A character that is cut in the middle becomes U+FFFD (three bytes). It is removed below.
  const text = Buffer.from(reason).toString('utf8', 0, MAX_REASON_BYTES - 2);
  return text.endsWith('\ufffd') ? text.slice(0, -1) : text;
}
