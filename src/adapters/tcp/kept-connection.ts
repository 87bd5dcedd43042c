import { connect, type Socket } from 'node:net';
import { Refusal } from '../../domain/errors.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { LineReader } from './line-reader.ts';
import { type Question, RefusedRequest } from './presence-codec.ts';

export interface KeptConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** A question's whole time, waiting included, and the time to connect (ms). */
  readonly timeoutMs: number;
  /** Longest reply, in bytes. */
  readonly replyBytes: number;
  /** Questions under way at most. */
  readonly waiting: number;
  /** Pause after the first failure in a row (ms); it doubles up to `pauseMostMs`, each shortened at random by up to half. */
  readonly pauseMs: number;
  readonly pauseMostMs: number;
  /** Asked first, after a failure, to see whether presence answers again. Changes nothing there. */
  readonly probe: Question<unknown>;
  readonly events: KeptConnectionEvents;
}

export interface KeptConnectionEvents {
  /** Questions are taken from now on; those that waited for it are on their way. */
  ready(): void;
  lost(reason: string): void;
}

interface Asked {
  readonly deadline: number;
  readonly line: string;
  /** Reads and hands on the reply. @throws NonsenseReply */
  readonly answered: (reply: string) => void;
  readonly failed: (why: Refusal) => void;
}

/** A connection that held for so long (ms) is not blamed for ending. */
const STABLE_MS = 5_000;
/** Bytes that may wait for a peer that does not read. */
const UNREAD_BYTES = 4 * 1024 * 1024;

/**
 * One connection to presence, opened again whenever it is lost. Questions are written at once and answered in order. A reply that is late,
 * too long, no answer to the question or not asked for ends the connection, since what follows can't be matched any more.
 *
 * After a failure nobody waits for the next connection: until it stands and has answered a probe, questions fail at once.
 */
export class KeptConnection {
  readonly #options: KeptConnectionOptions;
  readonly #sent = new BoundedQueue<Asked>();
  readonly #unsent = new BoundedQueue<Asked>();
  #socket: Socket | undefined;
  #isReady = false;
  #isClosed = false;
  #failures = 0;
  #openedAt = 0;
  #out = '';
  #deadlineTimer: NodeJS.Timeout | undefined;
  #pauseTimer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(options: KeptConnectionOptions) {
    this.#options = options;
    this.#dial();
  }

  /** Questions under way. */
  get load(): number {
    return this.#sent.length + this.#unsent.length;
  }

  /** Whether a question is taken right now. */
  get isFree(): boolean {
    return this.#isReady && this.load < this.#options.waiting && (this.#socket?.writableLength ?? 0) < UNREAD_BYTES;
  }

  /** Whether presence is reached, as far as is known. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Rejects with `try-again` when there is no answer in time or none that makes sense, with RefusedRequest where presence refuses. */
  ask<T>(question: Question<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed || this.load >= this.#options.waiting) reject(away('presence is not asked now'));
      else if (this.isFree) this.#write(this.#asked(question, resolve, reject));
      else if (!this.#isReady && this.#failures === 0) this.#unsent.push(this.#asked(question, resolve, reject));
      else reject(away('presence is not reached'));
      this.#watchDeadline();
    });
  }

  /** Waits for answers under way as long as they may take, then hangs up. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#isReady && this.load > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#hangUp('closed');
  }

  #asked<T>(question: Question<T>, resolve: (answer: T) => void, reject: (why: Error) => void): Asked {
    return {
      deadline: performance.now() + this.#options.timeoutMs,
      line: question.line,
      answered: (reply) => {
        try {
          resolve(question.read(reply));
        } catch (error) {
          reject(error instanceof RefusedRequest ? error : away('presence answers nonsense'));
          if (!(error instanceof RefusedRequest)) throw error;
        }
      },
      failed: reject,
    };
  }

  #dial(): void {
    const { host, port, timeoutMs, replyBytes } = this.#options;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
    const reader = new LineReader(replyBytes);
    const timer = setTimeout(() => this.#lose(socket, 'no connection in time'), timeoutMs);
    this.#socket = socket;
    socket.on('connect', () => {
      clearTimeout(timer);
      if (socket === this.#socket) this.#opened();
    });
    socket.on('data', (chunk: Buffer) => this.#read(socket, reader, chunk));
    socket.on('error', (error) => this.#lose(socket, error.message));
    socket.on('end', () => this.#lose(socket, 'presence hung up'));
    socket.on('close', () => {
      clearTimeout(timer);
      this.#lose(socket, 'the connection ended');
    });
  }

  #opened(): void {
    this.#openedAt = performance.now();
    if (this.#failures === 0) this.#ready();
    else {
      const ready = () => this.#ready();
      this.#write(this.#asked(this.#options.probe, ready, (why) => why instanceof RefusedRequest && ready()));
      this.#watchDeadline();
    }
  }

  #ready(): void {
    this.#isReady = true;
    for (const asked of this.#unsent.takeAll()) this.#write(asked);
    this.#options.events.ready();
  }

  #write(asked: Asked): void {
    this.#sent.push(asked);
    if (this.#out === '') process.nextTick(() => this.#flush());
    this.#out += asked.line;
  }

  #flush(): void {
    const out = this.#out;
    this.#out = '';
    if (out !== '') this.#socket?.write(out);
  }

  #read(socket: Socket, reader: LineReader, chunk: Buffer): void {
    if (socket !== this.#socket) return;
    try {
      for (const line of reader.push(chunk)) {
        const asked = this.#sent.shift();
        if (asked === undefined) throw new Error('a reply that nobody asked for');
        asked.answered(line);
      }
    } catch (error) {
      this.#lose(socket, error instanceof Error ? error.message : String(error), true);
      return;
    }
    this.#watchDeadline();
    if (this.load === 0) this.#idle?.();
  }

  #watchDeadline(): void {
    if (this.#deadlineTimer !== undefined) return;
    const first = this.#sent.first() ?? this.#unsent.first();
    if (first === undefined) return;
    const left = Math.max(1, Math.ceil(first.deadline - performance.now()));
    // Timers run before sockets are read: after a stall of this process the reply may be here already.
    this.#deadlineTimer = setTimeout(() => setImmediate(() => this.#checkDeadline()), left);
  }

  #checkDeadline(): void {
    this.#deadlineTimer = undefined;
    const first = this.#sent.first() ?? this.#unsent.first();
    if (first === undefined || first.deadline > performance.now()) this.#watchDeadline();
    else if (this.#socket !== undefined) this.#lose(this.#socket, 'no answer in time', true);
    else this.#failAll('no connection in time');
  }

  #lose(socket: Socket, reason: string, isMisbehaviour = false): void {
    if (socket !== this.#socket) return;
    const isStable = this.#isReady && performance.now() - this.#openedAt >= STABLE_MS;
    this.#failures = isStable && !isMisbehaviour ? 0 : isStable ? 1 : this.#failures + 1;
    this.#hangUp(reason);
    if (this.#isClosed) return;
    this.#options.events.lost(reason);
    this.#pauseTimer = setTimeout(() => this.#dial(), this.#pause());
  }

  #pause(): number {
    const { pauseMs, pauseMostMs } = this.#options;
    if (this.#failures === 0) return 0;
    return Math.min(pauseMostMs, pauseMs * 2 ** Math.min(this.#failures - 1, 16)) * (1 - Math.random() / 2);
  }

  #hangUp(reason: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isReady = false;
    this.#out = '';
    socket?.destroy();
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
    clearTimeout(this.#pauseTimer);
    this.#failAll(reason);
  }

  #failAll(reason: string): void {
    for (const asked of [...this.#sent.takeAll(), ...this.#unsent.takeAll()]) {
      asked.failed(away(`presence does not answer: ${reason}`));
    }
    this.#idle?.();
  }
}

function away(message: string): Refusal {
  return new Refusal('try-again', message);
}
