import type { Connection } from '../transport/connection.ts';
import { type DecoderLimits, type Frame, FrameDecoder, type FrameFacts } from './decoder.ts';
import type { StompVersion } from './version.ts';

/** Handles the frames of one connection. */
export interface FrameHandler {
  /** False: frames that still arrive are ignored. */
  readonly takesFrames: boolean;
  /**
   * Handles one frame. May throw.
   * @returns a promise that never rejects and resolves when the next frame may be handled;
   * undefined: at once
   */
  handle(frame: Frame): Promise<void> | undefined;
  /**
   * Reports what `handle` threw, or a Refusal because the bytes are not valid STOMP. No frame is
   * handled afterwards.
   * @param frame the frame at fault
   */
  failed(error: unknown, frame: FrameFacts | null): void;
  /** The client sent more than {@link MAX_WAITING_BYTES} although reading had stopped. */
  overrun(): void;
}

/** Commands with an open outcome. Further frames wait. */
const MAX_OPEN_COMMANDS = 1_000;
/** Bytes that may still arrive after reading was stopped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Queue of the frames of one connection. Frames are handled one after the other, in order.
 * While a frame is being handled, later bytes stay undecoded and the connection is not read.
 */
export class FrameQueue {
  readonly #connection: Connection;
  readonly #handler: FrameHandler;
  readonly #decoder: FrameDecoder;
  #isBusy = false;
  #isPaused = false;
  #openCommands = 0;
  /** The first half of a surrogate pair whose second half is in the next text; usually empty. */
  #half = '';

  constructor(connection: Connection, handler: FrameHandler, limits: DecoderLimits) {
    this.#connection = connection;
    this.#handler = handler;
    this.#decoder = new FrameDecoder(limits);
  }

  /** True while frames have to wait. */
  get isBlocked(): boolean {
    return this.#isBusy || this.#openCommands >= MAX_OPEN_COMMANDS;
  }

  /** True while no command has an open outcome. */
  get isSettled(): boolean {
    return this.#openCommands === 0;
  }

  /** Sets the version and the limits of the frames to come. */
  speak(version: StompVersion, limits: DecoderLimits): void {
    this.#decoder.speak(version, limits);
  }

  push(message: string | Buffer): void {
    if (message === '\n' && this.#decoder.waitingBytes === 0) return;
    this.#pushBytes(message);
    if (!this.isBlocked) this.#work();
    else if (this.#decoder.waitingBytes > MAX_WAITING_BYTES) this.#handler.overrun();
    else this.#pause();
  }

  /** The frame that has arrived in part; null: there is none. */
  get incomplete(): FrameFacts | null {
    return this.#decoder.waitingBytes === 0 ? null : this.#decoder.current;
  }

  // Clients cut a long frame into texts at any UTF-16 unit, also in the middle of a surrogate pair.
  #pushBytes(message: string | Buffer): void {
    if (typeof message !== 'string') {
      this.#decoder.push(message);
      return;
    }
    let text = this.#half === '' ? message : this.#half + message;
    this.#half = '';
    if (isFirstHalf(text.charCodeAt(text.length - 1))) {
      this.#half = text.slice(-1);
      text = text.slice(0, -1);
    }
    this.#decoder.push(Buffer.from(text));
  }

  /** A command has its place in the order; its outcome is open. */
  opened(): void {
    this.#openCommands += 1;
  }

  /** The outcome of a command is known. */
  settled(): void {
    this.#openCommands -= 1;
    if (this.#openCommands === MAX_OPEN_COMMANDS - 1 && !this.#isBusy) this.#work();
  }

  /** Reads from the connection again, so that the client's answer to a close arrives. */
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
      this.#handler.failed(error, this.#decoder.current);
    }
    this.release();
  }
}

/** True for the first unit of a surrogate pair. NaN, the unit of an empty text, is none. */
function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
