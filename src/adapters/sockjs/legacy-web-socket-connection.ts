import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { TransportName } from '../transport/connection.ts';
import { jsonElement } from '../transport/json-element.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import { SocketWriter } from '../transport/socket-writer.ts';
import { arrayFrame, closeFrame, heartbeatFrame, openFrame, PayloadError, readMessages } from './frames.ts';
import type { Identity } from './identity.ts';
import { type Host, Notifier } from './notifier.ts';
import type { LiveConnection, Wheel } from './wheel.ts';

const textStart = 0x00;
const textEnd = 0xff;
const closing = Buffer.from([0xff, 0x00]);

/** A connection in hixie-76: text between 0x00 and 0xff, neither pings nor close codes. */
export class LegacyWebSocketConnection implements LiveConnection {
  readonly protocol = '';
  readonly transport: TransportName;
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
  wheelSlot = -1;
  readonly #socket: Socket;
  readonly #writer: SocketWriter;
  readonly #isSockJs: boolean;
  readonly #host: Host & { readonly maxPayload: number };
  readonly #wheel: Wheel<LiveConnection>;
  readonly #notifier: Notifier;
  #unread: Buffer = Buffer.alloc(0);
  #isOpen = true;

  constructor(
    socket: Socket,
    isSockJs: boolean,
    identity: Identity,
    host: Host & { readonly maxPayload: number },
    wheel: Wheel<LiveConnection>,
  ) {
    this.#socket = socket;
    this.#writer = new SocketWriter(socket);
    this.#isSockJs = isSockJs;
    this.#host = host;
    this.#wheel = wheel;
    this.#notifier = new Notifier(host);
    this.transport = isSockJs ? 'websocket' : 'raw-websocket';
    this.remoteAddress = identity.remoteAddress;
    this.headers = identity.headers;
    socket.setKeepAlive(true);
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#end(1006, 'connection lost'));
    wheel.add(this);
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#socket.writable;
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  open(): void {
    if (this.#isSockJs) this.#write(openFrame);
    this.#notifier.open(this);
  }

  send(text: string): void {
    this.#write(this.#isSockJs ? arrayFrame([jsonElement(text)]) : text);
  }

  sendShared(frame: SharedFrame, head = ''): void {
    this.send(head + frame.text);
  }

  drained(): Promise<void> {
    return this.#writer.drained();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    if (this.#isSockJs) this.#write(closeFrame(code, reason));
    this.#fail(code, reason);
  }

  visit(): void {
    if (this.#isSockJs) this.#write(heartbeatFrame);
  }

  /** Takes bytes of the client, and delivers the messages that they complete. */
  read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (this.#isOpen && this.#unread.length > 0) {
      if (this.#unread[0] !== textStart) {
        this.#fail(this.#unread[0] === textEnd ? 1000 : 1002, '');
        return;
      }
      const end = this.#unread.indexOf(textEnd);
      if (end - 1 > this.#host.maxPayload || (end === -1 && this.#unread.length > this.#host.maxPayload + 1)) {
        this.#fail(1009, 'message too large');
        return;
      }
      if (end === -1) return;
      const message = this.#unread.subarray(1, end);
      this.#unread = this.#unread.subarray(end + 1);
      this.#deliver(message);
    }
  }

  #deliver(message: Buffer): void {
    if (!isUtf8(message)) {
      this.#fail(1007, 'no UTF-8');
      return;
    }
    const text = message.toString();
    if (!this.#isSockJs) this.#notifier.message(this, text);
    else if (text !== '') this.#deliverAll(text);
  }

  #deliverAll(json: string): void {
    try {
      for (const message of readMessages(json)) if (this.#isOpen) this.#notifier.message(this, message);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#fail(1002, error.message);
    }
  }

  #write(text: string): void {
    if (!this.isOpen) return;
    this.#writer.write(Buffer.concat([Buffer.of(textStart), Buffer.from(text), Buffer.of(textEnd)]));
    if (this.#writer.bufferedBytes <= this.#host.maxQueuedBytes) return;
    // What only waits for the end of this turn is not the client's fault: it is handed over first.
    this.#writer.flush();
    if (this.#writer.bufferedBytes <= this.#host.maxQueuedBytes) return;
    this.#end(1008, 'slow consumer');
    this.#socket.destroy();
  }

  #fail(code: number, reason: string): void {
    this.#end(code, reason);
    this.#writer.flush();
    this.#socket.end(closing);
    this.#socket.destroySoon();
  }

  #end(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#wheel.remove(this);
    this.#notifier.over(code, reason);
  }
}
