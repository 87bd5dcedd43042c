import type { Duplex } from 'node:stream';
import { type Flushable, flushSoon } from './flush-soon.ts';

/** A longer run of chunks is handed over as it is instead of copied together. */
const JOINED_LIMIT = 16 * 1024;

/**
 * Chunks in the order in which they were written, as a chain: the sockets of a room are written the same ones, so that they share it, and what it is joined into.
 * Joined once, a room's messages of one turn cost each of its sockets one plain write.
 */
class Run {
  readonly bytes: number;
  readonly #before: Run | null;
  readonly #chunk: Buffer;
  #next: Run | null = null;
  #joined: Buffer | null = null;

  constructor(before: Run | null, chunk: Buffer) {
    this.#before = before;
    this.#chunk = chunk;
    this.bytes = (before?.bytes ?? 0) + chunk.length;
  }

  /** This chunk alone, or behind another run: the same as last time where the chunk is the same. */
  static of(chunk: Buffer): Run {
    if (newest === null || newest.#chunk !== chunk) newest = new Run(null, chunk);
    return newest;
  }

  and(chunk: Buffer): Run {
    if (this.#next === null || this.#next.#chunk !== chunk) this.#next = new Run(this, chunk);
    return this.#next;
  }

  writeTo(socket: Duplex): void {
    if (this.#before === null) socket.write(this.#chunk);
    else if (this.bytes <= JOINED_LIMIT) {
      this.#joined ??= Buffer.concat(this.#chunks(), this.bytes);
      socket.write(this.#joined);
    } else {
      socket.cork();
      for (const chunk of this.#chunks()) socket.write(chunk);
      socket.uncork();
    }
  }

  #chunks(): Buffer[] {
    const chunks: Buffer[] = [];
    for (let run: Run | null = this; run !== null; run = run.#before) chunks.push(run.#chunk);
    return chunks.reverse();
  }
}

let newest: Run | null = null;

/** Writes to one socket: all that one turn of the event loop writes leaves together, in one system call. */
export class SocketWriter implements Flushable {
  readonly #socket: Duplex;
  #run: Run | null = null;

  constructor(socket: Duplex) {
    this.#socket = socket;
    // Before those who end it in turn: what is written to a client that sends no more still goes out.
    socket.prependListener('end', () => this.flush());
  }

  /** Bytes not yet taken by the operating system. */
  get bufferedBytes(): number {
    return (this.#run?.bytes ?? 0) + this.#socket.writableLength;
  }

  /** @param chunk not to be changed any more */
  write(chunk: Buffer): void {
    if (this.#run === null) {
      this.#run = Run.of(chunk);
      flushSoon(this);
    } else {
      this.#run = this.#run.and(chunk);
    }
  }

  /** Hands over now what was written; to be called before somebody else writes to the socket or ends it. */
  flush(): void {
    const run = this.#run;
    if (run === null) return;
    this.#run = null;
    // The chain is only of use to those who wait for the same, and would hold on to its buffers.
    newest = null;
    if (this.#socket.writable) run.writeTo(this.#socket);
  }

  /** Resolves once the operating system has taken all that was written, or the socket is gone. */
  drained(): Promise<void> {
    this.flush();
    if (this.#socket.writableLength === 0) return Promise.resolve();
    // Nothing is written, but only after all before it; a socket that is destroyed calls back as well.
    return new Promise((resolve) => this.#socket.write('', () => resolve()));
  }
}
