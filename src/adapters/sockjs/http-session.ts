import type { TransportName } from '../transport/connection.ts';
import { type Flushable, flushSoon } from '../transport/flush-soon.ts';
import { jsonElement } from '../transport/json-element.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import { arrayFrame, closeFrame, heartbeatFrame, openFrame } from './frames.ts';
import type { Identity } from './identity.ts';
import { type Host, Notifier } from './notifier.ts';
import type { Receiver } from './receiver.ts';
import type { LiveConnection, Wheel } from './wheel.ts';

/** What a session needs of the table that it stands in. */
export interface SessionHost extends Host {
  readonly wheel: Wheel<HttpSession>;
  /** Most bytes that wait for a paused application. */
  readonly maxHeldBytes: number;
  /** The session has no receiver any more: it lives on for a while, and may be told so again. */
  detached(session: HttpSession): void;
  attached(session: HttpSession): void;
}

/** A session over one of the HTTP transports: messages wait here between one response and the next. */
export class HttpSession implements LiveConnection, Flushable {
  readonly id: string;
  readonly protocol = '';
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
  wheelSlot = -1;
  /** When the last receiver left, in milliseconds of `performance.now`. */
  detachedAt = 0;
  #transport: TransportName = 'xhr';
  readonly #host: SessionHost;
  readonly #notifier: Notifier;
  #receiver: Receiver | undefined;
  #queue: string[] = [];
  #queuedBytes = 0;
  #isFlushing = false;
  #closing: string | undefined; // the close frame, to be repeated to whoever asks
  #held: string[] | undefined; // incoming messages of a paused session
  #heldBytes = 0;
  #waiting: (() => void)[] = [];

  constructor(id: string, identity: Identity, host: SessionHost) {
    this.id = id;
    this.remoteAddress = identity.remoteAddress;
    this.headers = identity.headers;
    this.#host = host;
    this.#notifier = new Notifier(host);
  }

  get transport(): TransportName {
    return this.#transport;
  }

  get isOpen(): boolean {
    return this.#closing === undefined;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#receiver?.bufferedBytes ?? 0);
  }

  /** Begins the session: the open frame goes out, then the application hears of it. */
  open(receiver: Receiver): void {
    this.#transport = receiver.transport;
    this.#take(receiver);
    receiver.write(openFrame);
    if (receiver.isOver) this.#detach();
    this.#notifier.open(this);
  }

  /** Gives the session a response to send through; a second one beside it is refused. */
  attach(receiver: Receiver): void {
    if (this.#receiver !== undefined) {
      refuse(receiver, closeFrame(2010, 'Another connection still open'));
      return;
    }
    if (this.#closing !== undefined && this.#queue.length === 0) {
      refuse(receiver, this.#closing);
      return;
    }
    this.#take(receiver);
    this.flush();
  }

  /** Hands what the client sent to the application. */
  receive(messages: readonly string[]): void {
    for (const message of messages) {
      if (!this.isOpen) return;
      if (this.#held === undefined) this.#notifier.message(this, message);
      else this.#hold(this.#held, message);
    }
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
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    this.receive(held);
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#end(code, reason, closeFrame(code, reason));
    this.flush();
    this.#host.detached(this);
  }

  /** The session was forgotten: no receiver came in time. */
  expire(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.isOpen) this.#end(1006, 'session timed out', closeFrame(1002, 'Connection interrupted'));
  }

  visit(): void {
    this.flush();
    this.#receiver?.write(heartbeatFrame);
    if (this.#receiver?.isOver) this.#detach();
  }

  flush(): void {
    this.#isFlushing = false;
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    if (this.#queue.length > 0) {
      const frame = arrayFrame(this.#queue);
      this.#queue = [];
      this.#queuedBytes = 0;
      receiver.write(frame);
    }
    if (this.#closing !== undefined && !receiver.isOver) refuse(receiver, this.#closing);
    if (receiver.isOver) this.#detach();
    else if (this.#isTooSlow(receiver)) this.#overflow();
    if (this.#waiting.length > 0) this.#tellDrained(receiver);
  }

  #enqueue(element: string): void {
    this.#queue.push(element);
    this.#queuedBytes += Buffer.byteLength(element) + 1;
    if (this.bufferedBytes > this.#host.maxQueuedBytes) this.#relieve();
    else if (this.#receiver !== undefined && !this.#isFlushing) {
      this.#isFlushing = true;
      flushSoon(this);
    }
  }

  #relieve(): void {
    if (this.#receiver === undefined) this.#overflow();
    else this.flush();
  }

  // What only waits for the end of this turn is not the client's fault: it is handed over first.
  #isTooSlow(receiver: Receiver): boolean {
    if (receiver.bufferedBytes <= this.#host.maxQueuedBytes) return false;
    receiver.push();
    return receiver.bufferedBytes > this.#host.maxQueuedBytes;
  }

  #overflow(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#end(1008, 'slow consumer', closeFrame(1008, 'slow consumer'));
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
    this.#receiver = undefined;
    this.#host.wheel.remove(this);
    this.#host.detached(this);
  }

  // Some of what was written may be lost, so the session cannot go on as if nothing had happened.
  #aborted(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#end(1006, 'connection interrupted', closeFrame(1002, 'Connection interrupted'));
    this.#detach();
  }

  #end(code: number, reason: string, frame: string): void {
    if (!this.isOpen) return;
    this.#closing = frame;
    this.#held = undefined;
    this.#notifier.over(code, reason);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #tellDrained(receiver: Receiver): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    receiver.drained().then(() => {
      for (const resolve of waiting) resolve();
    });
  }
}

function refuse(receiver: Receiver, frame: string): void {
  receiver.write(frame);
  receiver.end();
}
