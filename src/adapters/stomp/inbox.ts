import type { Connection } from '../transport/connection.ts';
import { type DecoderLimits, type Frame, FrameDecoder } from './decoder.ts';
import type { StompVersion } from './version.ts';

/** Who handles the frames of one connection. */
export interface FrameHandler {
  /** False once no further frame counts. */
  readonly takesFrames: boolean;
  /** Returns what resolves when the next frame may be handled, and never rejects; undefined: at once. May throw. */
  handle(frame: Frame): Promise<void> | undefined;
  /** What `handle` threw, or a Refusal of what is no STOMP. No frame counts afterwards. */
  failed(error: unknown): void;
  /** The client sent far more than was read. */
  overrun(): void;
}

/** Commands whose outcome is still open; further frames wait. */
const MOST_OPEN = 1_000;
/** Bytes that may arrive although reading was stopped. */
const MOST_WAITING_BYTES = 1024 * 1024;

/** Frames of one connection, handled one after the other. While one waits, what comes behind it stays undecoded, and the connection is not read. */
export class Inbox {
  readonly #connection: Connection;
  readonly #handler: FrameHandler;
  readonly #decoder: FrameDecoder;
  #isBusy = false;
  #isPaused = false;
  #open = 0;

  constructor(connection: Connection, handler: FrameHandler, limits: DecoderLimits) {
    this.#connection = connection;
    this.#handler = handler;
    this.#decoder = new FrameDecoder(limits);
  }

  /** True while frames must wait. */
  get isBlocked(): boolean {
    return this.#isBusy || this.#open >= MOST_OPEN;
  }

  /** True while nothing that was begun is still open. */
  get isSettled(): boolean {
    return this.#open === 0;
  }

  /** What holds for the frames to come. */
  speak(version: StompVersion, limits: DecoderLimits): void {
    this.#decoder.speak(version, limits);
  }

  push(message: string | Buffer): void {
    if (message === '\n' && this.#decoder.waitingBytes === 0) return;
    this.#decoder.push(typeof message === 'string' ? Buffer.from(message) : message);
    if (!this.isBlocked) this.#work();
    else if (this.#decoder.waitingBytes > MOST_WAITING_BYTES) this.#handler.overrun();
    else this.#pause();
  }

  /** A command has its place in the order, its outcome is open. */
  begun(): void {
    this.#open += 1;
  }

  settled(): void {
    this.#open -= 1;
    if (this.#open === MOST_OPEN - 1 && !this.#isBusy) this.#work();
  }

  /** Reads on, so that the client's answer to a close arrives. */
  release(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#connection.resume();
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#connection.pause();
  }

  #work(): void {
    try {
      while (this.#handler.takesFrames) {
        if (this.isBlocked) return;
        const frame = this.#decoder.next();
        if (frame === null) break;
        const turn = this.#handler.handle(frame);
        if (turn === undefined) continue;
        this.#isBusy = true;
        turn.then(() => {
          this.#isBusy = false;
          this.#work();
        });
        return;
      }
    } catch (error) {
      this.#handler.failed(error);
    }
    this.release();
  }
}
