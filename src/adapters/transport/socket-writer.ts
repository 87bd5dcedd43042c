import type { Duplex } from 'node:stream';
import { type PlainSocket, plainSocket, writeDirectly } from './direct-write.ts';
import { type Flushable, flushSoon } from './flush-soon.ts';

/** The chunks of a run with at most this many bytes are copied into one buffer. */
const MAX_JOINED_BYTES = 16 * 1024;

/**
 * Chunks in the order in which they were written, as a chain. The sockets of a room get the same
 * chunks in the same order, so they share the chain and the buffer into which it is joined. The
 * messages of a room in one turn are joined once, and each socket needs one plain write.
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

  /** A run of one chunk. The same run as at the last call if the chunk is the same. */
  static of(chunk: Buffer): Run {
    if (newest === null || newest.#chunk !== chunk) newest = new Run(null, chunk);
    return newest;
  }

  /** This run with one more chunk. The same run as at the last call if the chunk is the same. */
  and(chunk: Buffer): Run {
    if (this.#next === null || this.#next.#chunk !== chunk) this.#next = new Run(this, chunk);
    return this.#next;
  }

  /** All bytes as one buffer; null where there are too many to copy. */
  get joined(): Buffer | null {
    if (this.#before === null) return this.#chunk;
    if (this.bytes > MAX_JOINED_BYTES) return null;
    this.#joined ??= Buffer.concat(this.#chunks(), this.bytes);
    return this.#joined;
  }

  writeChunks(socket: Duplex): void {
    socket.cork();
    for (const chunk of this.#chunks()) socket.write(chunk);
    socket.uncork();
  }

  #chunks(): Buffer[] {
    const chunks: Buffer[] = [];
    for (let run: Run | null = this; run !== null; run = run.#before) chunks.push(run.#chunk);
    return chunks.reverse();
  }
}

/** The run that was last begun in this turn. */
let newest: Run | null = null;

/**
 * Writes to one socket. Everything that is written in one turn of the event loop leaves in one
 * system call.
 */
export class SocketWriter implements Flushable {
  readonly #socket: Duplex;
  /** The same socket where it can be written without its stream; otherwise null. */
  readonly #plain: PlainSocket | null;
  #run: Run | null = null;

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#plain = plainSocket(socket);
    // Runs before the listeners that end the socket. Otherwise the last messages to a client that
    // half-closed would be lost.
    socket.prependListener('end', () => this.flush());
  }

  /** Bytes not yet taken by the operating system. */
  get bufferedBytes(): number {
    return (this.#run?.bytes ?? 0) + this.#socket.writableLength;
  }

  /** @param chunk must not be changed afterwards */
  write(chunk: Buffer): void {
    if (this.#run === null) {
      this.#run = Run.of(chunk);
      flushSoon(this);
    } else {
      this.#run = this.#run.and(chunk);
    }
  }

  /** Writes everything now. To be called before other code writes to the socket or ends it. */
  flush(): void {
    const run = this.#run;
    if (run === null) return;
    this.#run = null;
    // Only writers that still wait can share the chain. Keeping it would keep its buffers in
    // memory.
    newest = null;
    if (!this.#socket.writable) return;
    const { joined } = run;
    if (joined === null) run.writeChunks(this.#socket);
    else this.#writeNow(joined);
  }

  #writeNow(bytes: Buffer): void {
    const taken = this.#plain === null ? 0 : writeDirectly(this.#plain, bytes);
    if (taken === bytes.length) return;
    this.#socket.write(taken === 0 ? bytes : bytes.subarray(taken));
  }

  /** Resolves when the operating system has taken all written bytes, or the socket is gone. */
  drained(): Promise<void> {
    this.flush();
    if (this.#socket.writableLength === 0) return Promise.resolve();
    // An empty chunk calls back after all chunks before it, also when the socket is destroyed.
    return new Promise((resolve) => this.#socket.write('', () => resolve()));
  }
}
