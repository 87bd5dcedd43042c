import type { ServerResponse } from 'node:http';
import type { TransportName } from '../transport/connection.ts';
import type { Framing } from './framing.ts';

/**
 * A response through which an HTTP session sends frames. A polling response carries one frame, a
 * streaming response carries many up to a limit of bytes.
 */
export class Receiver {
  /** Called once if the client goes away before the end of the response. */
  onAbort: (() => void) | null = null;
  readonly #response: ServerResponse;
  readonly #framing: Framing;
  /** Bytes until a streaming response ends. */
  #room: number;
  #isOver = false;

  constructor(response: ServerResponse, framing: Framing, responseLimit: number) {
    this.#response = response;
    this.#framing = framing;
    this.#room = responseLimit;
    response.statusCode = 200;
    response.setHeader('Content-Type', framing.contentType);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    // nginx buffers answers by default, and a stream would reach the client late or never.
    if (framing.prelude !== null) response.setHeader('X-Accel-Buffering', 'no');
    response.once('close', () => this.#closed());
    response.on('error', () => {});
    if (framing.prelude !== null) response.write(framing.prelude);
  }

  get transport(): TransportName {
    return this.#framing.name;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Bytes that wait in the response and its socket. */
  get bufferedBytes(): number {
    return this.#response.writableLength;
  }

  /** Resolves when the operating system has taken all written bytes, or the client is gone. */
  drained(): Promise<void> {
    if (this.#isOver || this.#response.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#response.once('close', resolve);
      // An empty chunk calls back after all chunks before it. `drain` is emitted only after the
      // buffer was full.
      this.#response.write('', () => resolve());
    });
  }

  /**
   * Hands bytes that only wait for the end of this turn of the event loop to the operating system.
   */
  push(): void {
    const { socket } = this.#response;
    while (socket !== null && socket.writableCorked > 0) socket.uncork();
  }

  write(frame: string): void {
    if (this.#isOver) return;
    const text = this.#framing.wrap(frame);
    if (this.#framing.prelude === null) {
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

  /** Closes the connection without waiting for the client to read. */
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
