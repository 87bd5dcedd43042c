import type { ServerResponse } from 'node:http';
import type { TransportName } from '../transport/connection.ts';
import type { Framing } from './framing.ts';

/** A response through which an HTTP session sends frames: one frame where it polls, else many up to a byte limit. */
export class Receiver {
  /** Called once where the client went away before the response was over. */
  onAbort: (() => void) | undefined;
  readonly #response: ServerResponse;
  readonly #framing: Framing;
  #room: number;
  #isOver = false;

  constructor(response: ServerResponse, framing: Framing, responseLimit: number) {
    this.#response = response;
    this.#framing = framing;
    this.#room = responseLimit;
    response.statusCode = 200;
    response.setHeader('Content-Type', framing.contentType);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.once('close', () => this.#closed());
    response.on('error', () => {});
    if (framing.prelude !== undefined) response.write(framing.prelude);
  }

  get transport(): TransportName {
    return this.#framing.name;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Bytes that the response and its socket still hold. */
  get bufferedBytes(): number {
    return this.#response.writableLength;
  }

  /** Resolves once the client's side has taken all that was written, or is gone. */
  drained(): Promise<void> {
    if (this.#isOver || this.#response.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#response.once('close', resolve);
      // Nothing is written, but only after all before it; `drain` comes only after the buffer was full.
      this.#response.write('', () => resolve());
    });
  }

  /** Hands to the operating system what only waits for the end of this turn of the event loop. */
  push(): void {
    const { socket } = this.#response;
    while (socket !== null && socket.writableCorked > 0) socket.uncork();
  }

  write(frame: string): void {
    if (this.#isOver) return;
    const text = this.#framing.wrap(frame);
    if (this.#framing.prelude === undefined) {
      this.#isOver = true;
      this.#response.end(text);
      return;
    }
    this.#response.write(text);
    this.#room -= Buffer.byteLength(text);
    if (this.#room <= 0) this.end();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#response.end();
  }

  /** Cuts the client off without waiting for it to read. */
  destroy(): void {
    this.#isOver = true;
    this.#response.destroy();
  }

  #closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onAbort?.();
  }
}
