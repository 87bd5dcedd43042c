import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import {
  arrayFrame,
  closeFrame,
  HEARTBEAT_FRAME,
  OPEN_FRAME,
  PayloadError,
  readMessages,
} from '../../src/adapters/sockjs/frames.ts';
import { GuardedListener } from '../../src/adapters/sockjs/guarded-listener.ts';
import type { Upgrade } from '../../src/adapters/sockjs/options.ts';
import type { LiveConnection } from '../../src/adapters/sockjs/wheel.ts';
import type { TransportName } from '../../src/adapters/transport/connection.ts';
import { jsonElement } from '../../src/adapters/transport/json-element.ts';
import type { SharedFrame } from '../../src/adapters/transport/shared-frame.ts';
import { SocketWriter } from '../../src/adapters/transport/socket-writer.ts';

const TEXT_START = 0x00;
const TEXT_END = 0xff;
const CLOSE_FRAME = Buffer.from([0xff, 0x00]);

/** A WebSocket of hixie-76: texts between 0x00 and 0xff, no pings, no close codes. */
export class Hixie76Connection implements LiveConnection {
  readonly protocol = '';
  readonly transport: TransportName;
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
  wheelSlot = -1;
  readonly #socket: Socket;
  readonly #writer: SocketWriter;
  readonly #isSockJs: boolean;
  readonly #host: Upgrade['host'];
  readonly #wheel: Upgrade['wheel'];
  readonly #listener: GuardedListener;
  #unread: Buffer = Buffer.alloc(0);
  #isOpen = true;

  constructor({ socket, isSockJs, identity, host, wheel }: Upgrade) {
    this.#socket = socket;
    this.#writer = new SocketWriter(socket);
    this.#isSockJs = isSockJs;
    this.#host = host;
    this.#wheel = wheel;
    this.#listener = new GuardedListener(host);
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
    if (this.#isSockJs) this.#write(OPEN_FRAME);
    this.#listener.open(this);
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
    if (this.#isSockJs) this.#write(HEARTBEAT_FRAME);
  }

  /** Reads bytes of the client and delivers the messages that they complete. */
  read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (this.#isOpen && this.#unread.length > 0) {
      if (this.#unread[0] !== TEXT_START) {
        this.#fail(this.#unread[0] === TEXT_END ? 1000 : 1002, '');
        return;
      }
      const end = this.#unread.indexOf(TEXT_END);
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
      this.#fail(1007, 'the message is not valid UTF-8');
      return;
    }
    const text = message.toString();
    if (!this.#isSockJs) this.#listener.message(this, text);
    else if (text !== '') this.#deliverAll(text);
  }

  #deliverAll(json: string): void {
    try {
      for (const message of readMessages(json)) if (this.#isOpen) this.#listener.message(this, message);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#fail(1002, error.message);
    }
  }

  #write(text: string): void {
    if (!this.isOpen) return;
    this.#writer.write(Buffer.concat([Buffer.of(TEXT_START), Buffer.from(text), Buffer.of(TEXT_END)]));
    if (this.#writer.bufferedBytes <= this.#host.maxQueuedBytes) return;
    // Bytes that only wait for the end of this turn are not the client's fault. Flush them first.
    this.#writer.flush();
    if (this.#writer.bufferedBytes <= this.#host.maxQueuedBytes) return;
    this.#end(1008, 'slow consumer');
    this.#socket.destroy();
  }

  #fail(code: number, reason: string): void {
    this.#end(code, reason);
    this.#writer.flush();
    this.#socket.end(CLOSE_FRAME);
    this.#socket.destroySoon();
  }

  #end(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#wheel.remove(this);
    this.#listener.end(code, reason);
  }
}
