import { SLOW_CONSUMER, type TransportName } from '../transport/connection.ts';
import { type Flushable, flushSoon } from '../transport/flush-soon.ts';
import { jsonElement } from '../transport/json-element.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import { arrayFrame, closeFrame, HEARTBEAT_FRAME, OPEN_FRAME } from './frames.ts';
import { type ConnectionHost, GuardedListener } from './guarded-listener.ts';
import type { Identity } from './identity.ts';
import type { Receiver } from './receiver.ts';
import type { LiveConnection, Wheel } from './wheel.ts';

/** The parts of the session table that a session needs. */
export interface HttpSessionHost extends ConnectionHost {
  readonly wheel: Wheel<HttpSession>;
  /** Bytes of a client that may wait while the application has paused the connection. */
  readonly maxHeldBytes: number;
  /** The session has no receiver. May be called several times in a row. */
  detached(session: HttpSession): void;
  /** The session has a receiver again. */
  attached(session: HttpSession): void;
}

/** A session over one of the HTTP transports. Messages wait here between two responses. */
export class HttpSession implements LiveConnection, Flushable {
  readonly id: string;
  readonly protocol = '';
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
  wheelSlot = -1;
  /** Time when the last receiver left, in milliseconds of `performance.now`. */
  detachedAt = 0;
  #transport: TransportName = 'xhr';
  readonly #host: HttpSessionHost;
  readonly #listener: GuardedListener;
  #receiver: Receiver | null = null;
  #queue: string[] = [];
  #queuedBytes = 0;
  #isFlushing = false;
  /** The close frame once the session is closed. Every later receiver gets it. */
  #closing: string | null = null;
  /** Messages of the client while the session is paused, otherwise null. */
  #held: string[] | null = null;
  #heldBytes = 0;
  #drainWaiters: (() => void)[] = [];

  constructor(id: string, identity: Identity, host: HttpSessionHost) {
    this.id = id;
    this.remoteAddress = identity.remoteAddress;
    this.headers = identity.headers;
    this.#host = host;
    this.#listener = new GuardedListener(host);
  }

  get transport(): TransportName {
    return this.#transport;
  }

  get isOpen(): boolean {
    return this.#closing === null;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#receiver?.bufferedBytes ?? 0);
  }

  /** Begins the session: sends the open frame, then introduces the session to the application. */
  open(receiver: Receiver): void {
    this.#transport = receiver.transport;
    this.#take(receiver);
    receiver.write(OPEN_FRAME);
    if (receiver.isOver) this.#detach();
    this.#listener.open(this);
  }

  /** Gives the session a receiver. A second one at the same time is refused. */
  attach(receiver: Receiver): void {
    if (this.#receiver !== null) {
      refuse(receiver, closeFrame(2010, 'Another connection still open'));
      return;
    }
    if (this.#closing !== null && this.#queue.length === 0) {
      refuse(receiver, this.#closing);
      return;
    }
    this.#take(receiver);
    this.flush();
  }

  /** Delivers messages of the client to the application. */
  receive(messages: readonly string[]): void {
    for (const message of messages) {
      if (!this.isOpen) return;
      if (this.#held === null) this.#listener.message(this, message);
      else this.#hold(this.#held, message);
    }
  }

  /** The client sent a body over the limit. */
  tooLarge(): void {
    if (this.isOpen) this.#listener.tooLarge(this);
  }

  send(text: string): void {
    if (this.isOpen) this.#enqueue(jsonElement(text));
  }

  sendShared(frame: SharedFrame, head?: string): void {
    if (!this.isOpen) return;
    this.#enqueue(head === undefined ? frame.element : `${jsonElement(head).slice(0, -1)}${frame.element.slice(1)}`);
  }

  drained(): Promise<void> {
    if (!this.isOpen || this.bufferedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#heldBytes = 0;
    this.receive(held);
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#end(code, reason, closeFrame(code, reason));
    this.flush();
    this.#host.detached(this);
  }

  /** The session table has removed the session, because no receiver came in time. */
  expire(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.isOpen) this.#end(1006, 'session timed out', closeFrame(1002, 'Connection interrupted'));
  }

  visit(): void {
    this.flush();
    this.#receiver?.write(HEARTBEAT_FRAME);
    if (this.#receiver?.isOver) this.#detach();
  }

  flush(): void {
    this.#isFlushing = false;
    const receiver = this.#receiver;
    if (receiver === null) return;
    if (this.#queue.length > 0) {
      const frame = arrayFrame(this.#queue);
      this.#queue = [];
      this.#queuedBytes = 0;
      receiver.write(frame);
    }
    if (this.#closing !== null && !receiver.isOver) refuse(receiver, this.#closing);
    if (receiver.isOver) this.#detach();
    else if (this.#isTooSlow(receiver)) this.#overflow();
    if (this.#drainWaiters.length > 0) this.#resolveWhenDrained(receiver);
  }

  #enqueue(element: string): void {
    this.#queue.push(element);
    this.#queuedBytes += Buffer.byteLength(element) + 1;
    if (this.bufferedBytes > this.#host.maxQueuedBytes) this.#relieve();
    else if (this.#receiver !== null && !this.#isFlushing) {
      this.#isFlushing = true;
      flushSoon(this);
    }
  }

  #relieve(): void {
    if (this.#receiver === null) this.#overflow();
    else this.flush();
  }

  // Bytes that only wait for the end of this turn are not the client's fault. Push them first.
  #isTooSlow(receiver: Receiver): boolean {
    if (receiver.bufferedBytes <= this.#host.maxQueuedBytes) return false;
    receiver.push();
    return receiver.bufferedBytes > this.#host.maxQueuedBytes;
  }

  #overflow(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#end(1008, SLOW_CONSUMER, closeFrame(1008, SLOW_CONSUMER));
    this.#receiver?.destroy();
    this.#detach();
  }

  #hold(held: string[], message: string): void {
    held.push(message);
    this.#heldBytes += Buffer.byteLength(message);
    if (this.#heldBytes > this.#host.maxHeldBytes) this.close(1008, 'too many messages waiting');
  }

  #take(receiver: Receiver): void {
    this.#receiver = receiver;
    receiver.onAbort = () => this.#aborted();
    this.#host.attached(this);
    this.#host.wheel.add(this);
  }

  #detach(): void {
    this.#receiver = null;
    this.#host.wheel.remove(this);
    this.#host.detached(this);
  }

  // Some of the written bytes may be lost, so the session cannot continue.
  #aborted(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#end(1006, 'connection interrupted', closeFrame(1002, 'Connection interrupted'));
    this.#detach();
  }

  #end(code: number, reason: string, frame: string): void {
    if (!this.isOpen) return;
    this.#closing = frame;
    this.#held = null;
    this.#listener.end(code, reason);
    for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }

  #resolveWhenDrained(receiver: Receiver): void {
    const waiting = this.#drainWaiters;
    this.#drainWaiters = [];
    receiver.drained().then(() => {
      for (const resolve of waiting) resolve();
    });
  }
}

function refuse(receiver: Receiver, frame: string): void {
  receiver.write(frame);
  receiver.end();
}
