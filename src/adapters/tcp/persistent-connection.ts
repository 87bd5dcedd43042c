import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Refusal } from '../../domain/errors.ts';
import { type TlsOptions, tlsConnectOptions, tlsServerName } from '../support/tls.ts';
import { LineReader } from './line-reader.ts';
import { type Question, RefusedRequest } from './presence-codec.ts';
import { Queue } from './queue.ts';

export interface PersistentConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Null: without TLS. */
  readonly tls: TlsOptions | null;
  /** Limit for connecting, and for a question with its waiting time, in milliseconds. */
  readonly timeoutMs: number;
  /** Limit for a reply, in bytes. */
  readonly maxReplyBytes: number;
  /** Limit for questions without an answer. */
  readonly maxPending: number;
  /**
   * Pause after the first failure in a row, in milliseconds. It doubles up to `maxRetryMs` with
   * each further failure. Each pause is shortened at random by up to half.
   */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /**
   * Asked first after a failure, to see whether presence answers again. It must change nothing
   * there.
   */
  readonly probe: Question<unknown>;
  readonly events: PersistentConnectionEvents;
}

export interface PersistentConnectionEvents {
  /** The connection accepts questions. Those that waited for it have been written. */
  ready(): void;
  /** The connection was lost, or could not be opened. `reason` is human-readable. */
  lost(reason: string): void;
}

interface PendingQuestion {
  /** Monotonic time, in milliseconds. */
  readonly deadline: number;
  readonly line: string;
  /** Reads the reply and settles the question. @throws NonsenseReply */
  readonly answer: (reply: string) => void;
  readonly fail: (error: Refusal) => void;
}

/**
 * A connection that was ready for this long, in milliseconds, ends without counting as a failure.
 */
const STABLE_MS = 5_000;
/** Limit for bytes that the peer has not read. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

/**
 * One connection to presence that is opened again whenever it is lost. Questions are written at
 * once and answered in order. A reply that is late, too long, unexpected or no answer to its
 * question ends the connection, because the replies after it can no longer be matched to questions.
 *
 * After a failure, questions are refused at once until a new connection has answered a probe.
 */
export class PersistentConnection {
  readonly #options: PersistentConnectionOptions;
  readonly #sent = new Queue<PendingQuestion>();
  readonly #unsent = new Queue<PendingQuestion>();
  #socket: Socket | undefined;
  #isReady = false;
  #isClosed = false;
  /** Failures in a row. */
  #failures = 0;
  #openedAt = 0;
  /** Lines that are written in this turn of the event loop. */
  #out = '';
  #deadlineTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(options: PersistentConnectionOptions) {
    this.#options = options;
    this.#dial();
  }

  /** Number of questions without an answer. */
  get load(): number {
    return this.#sent.length + this.#unsent.length;
  }

  /** True when a question would be written at once. */
  get isFree(): boolean {
    return (
      this.#isReady && this.load < this.#options.maxPending && (this.#socket?.writableLength ?? 0) < MAX_UNREAD_BYTES
    );
  }

  /** True while presence is reached, as far as is known. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Asks presence. Rejects with Refusal `try-again` when there is no answer in time or the answer
   * makes no sense, and with RefusedRequest when presence refuses the question.
   */
  ask<T>(question: Question<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) reject(unavailable('the connection to presence is closed'));
      else if (this.load >= this.#options.maxPending) {
        reject(unavailable(`${this.load} questions to presence are waiting, which is the limit`));
      } else if (this.isFree) this.#write(this.#pending(question, resolve, reject));
      else if (!this.#isReady && this.#failures === 0) {
        this.#unsent.push(this.#pending(question, resolve, reject));
      } else reject(unavailable('presence is not reached'));
      this.#watchDeadline();
    });
  }

  /** Waits until the pending questions are answered or time out, and then closes. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#isReady && this.load > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#disconnect('the connection was closed');
  }

  #pending<T>(question: Question<T>, resolve: (answer: T) => void, reject: (error: Error) => void): PendingQuestion {
    return {
      deadline: performance.now() + this.#options.timeoutMs,
      line: question.line,
      answer: (reply) => {
        try {
          resolve(question.read(reply));
        } catch (error) {
          reject(error instanceof RefusedRequest ? error : unavailable('the answer of presence makes no sense'));
          if (!(error instanceof RefusedRequest)) throw error;
        }
      },
      fail: reject,
    };
  }

  #dial(): void {
    const { host, port, tls, timeoutMs, maxReplyBytes } = this.#options;
    const address = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 };
    const socket =
      tls === null ? connect(address) : connectTls({ ...address, ...tlsServerName(host), ...tlsConnectOptions(tls) });
    const reader = new LineReader(maxReplyBytes);
    const timer = setTimeout(() => this.#lose(socket, `no connection within ${timeoutMs} ms`), timeoutMs);
    this.#socket = socket;
    socket.on(tls === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      if (socket === this.#socket) this.#connected();
    });
    socket.on('data', (chunk: Buffer) => this.#read(socket, reader, chunk));
    socket.on('error', (error) => this.#lose(socket, error.message));
    socket.on('end', () => this.#lose(socket, 'presence closed the connection'));
    socket.on('close', () => {
      clearTimeout(timer);
      this.#lose(socket, 'the connection ended');
    });
  }

  #connected(): void {
    this.#openedAt = performance.now();
    if (this.#failures === 0) this.#ready();
    else {
      const ready = () => this.#ready();
      // A refusal is an answer as well.
      this.#write(this.#pending(this.#options.probe, ready, (error) => error instanceof RefusedRequest && ready()));
      this.#watchDeadline();
    }
  }

  #ready(): void {
    this.#isReady = true;
    for (const question of this.#unsent.takeAll()) this.#write(question);
    this.#options.events.ready();
  }

  #write(question: PendingQuestion): void {
    this.#sent.push(question);
    if (this.#out === '') process.nextTick(() => this.#flush());
    this.#out += question.line;
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
        const question = this.#sent.shift();
        if (question === undefined) throw new Error('the presence service sent a reply to which no request belongs');
        question.answer(line);
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
    // Timers run before sockets are read. After a stall of this process, the reply may be there
    // already.
    this.#deadlineTimer = setTimeout(() => setImmediate(() => this.#checkDeadline()), left);
  }

  #checkDeadline(): void {
    this.#deadlineTimer = undefined;
    const { timeoutMs } = this.#options;
    const first = this.#sent.first() ?? this.#unsent.first();
    if (first === undefined || first.deadline > performance.now()) this.#watchDeadline();
    else if (this.#socket !== undefined) this.#lose(this.#socket, `no answer within ${timeoutMs} ms`, true);
    else this.#failAll(`no connection within ${timeoutMs} ms`);
  }

  #lose(socket: Socket, reason: string, isMisbehaviour = false): void {
    if (socket !== this.#socket) return;
    const isStable = this.#isReady && performance.now() - this.#openedAt >= STABLE_MS;
    this.#failures = isStable && !isMisbehaviour ? 0 : isStable ? 1 : this.#failures + 1;
    this.#disconnect(reason);
    if (this.#isClosed) return;
    this.#options.events.lost(reason);
    this.#retryTimer = setTimeout(() => this.#dial(), this.#pause());
  }

  /** Time until the next attempt to connect, in milliseconds. */
  #pause(): number {
    const { retryMs, maxRetryMs } = this.#options;
    if (this.#failures === 0) return 0;
    return Math.min(maxRetryMs, retryMs * 2 ** Math.min(this.#failures - 1, 16)) * (1 - Math.random() / 2);
  }

  #disconnect(reason: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isReady = false;
    this.#out = '';
    socket?.destroy();
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
    clearTimeout(this.#retryTimer);
    this.#failAll(reason);
  }

  #failAll(reason: string): void {
    for (const question of [...this.#sent.takeAll(), ...this.#unsent.takeAll()]) {
      question.fail(unavailable(`presence does not answer: ${reason}`));
    }
    this.#idle?.();
  }
}

function unavailable(message: string): Refusal {
  return new Refusal('try-again', message);
}
