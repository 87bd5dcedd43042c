import type { Connection, ConnectionListener, TransportName } from '../../src/adapters/transport/connection.ts';
import type { SharedFrame } from '../../src/adapters/transport/shared-frame.ts';

/**
 * A connection to a client in this process. It keeps the sent messages as the client would read
 * them.
 */
export class MemoryConnection implements Connection {
  readonly remoteAddress: string = '127.0.0.1';
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: TransportName = 'raw-websocket';
  readonly protocol: string;
  /** All messages sent so far. */
  readonly received: string[] = [];
  /** The shared frames that were sent, for tests of sharing. */
  readonly shared: SharedFrame[] = [];
  closed: { code: number; reason: string } | null = null;
  isPaused = false;
  bufferedBytes = 0;
  listener: ConnectionListener | null = null;
  #drained: (() => void)[] = [];
  #waiting: { isEnough: () => boolean; resolve: () => void }[] = [];

  constructor(protocol = '', headers: Readonly<Record<string, string>> = {}) {
    this.protocol = protocol;
    this.headers = headers;
  }

  get isOpen(): boolean {
    return this.closed === null;
  }

  send(text: string): void {
    if (!this.isOpen) return;
    this.received.push(text);
    this.#wake();
  }

  sendShared(frame: SharedFrame, head = ''): void {
    this.shared.push(frame);
    this.send(head + frame.text);
  }

  drained(): Promise<void> {
    return this.bufferedBytes === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve));
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.closed = { code, reason };
    this.#wake();
    process.nextTick(() => this.listener?.onClose(code, reason));
  }

  /** The client reads everything that waits. */
  drain(): void {
    this.bufferedBytes = 0;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** The client sends a message. */
  say(message: string | Buffer): void {
    this.listener?.onMessage(message);
  }

  /** The client goes away without a close. */
  vanish(): void {
    if (!this.isOpen) return;
    this.closed = { code: 1006, reason: '' };
    this.listener?.onClose(1006, '');
  }

  /** Resolves when so many messages were sent, or the connection is closed. */
  async count(messages: number): Promise<void> {
    await this.#until(() => this.received.length >= messages || !this.isOpen);
  }

  /** Resolves when the connection is closed. */
  async end(): Promise<void> {
    await this.#until(() => !this.isOpen);
  }

  #until(isEnough: () => boolean): Promise<void> {
    if (isEnough()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isEnough, resolve }));
  }

  #wake(): void {
    const ready = this.#waiting.filter((waiting) => waiting.isEnough());
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve();
  }
}
