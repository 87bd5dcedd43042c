import type { TraceAnswer, TraceQuestion } from '../../domain/cluster-event.ts';
import type { TraceStep } from '../../domain/trace.ts';
import type { Answers } from '../cluster/cluster-questions.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { TraceLine, TraceStream } from '../service-calls.ts';
import type { KnownTrace } from './trace-table.ts';

/** Pause between two questions to all servers, in milliseconds. */
const ASK_MS = 1_000;
/** A reader who has seen nothing for this time gets a line `alive`. In milliseconds. */
const ALIVE_MS = 10_000;
/** Lines that wait for the reader before the servers keep theirs. */
const MAX_WAITING_LINES = 1_000;

export type TraceAnswers = Answers<TraceAnswer>;

export interface TraceReadingParts {
  readonly trace: KnownTrace;
  /** Identifies this reading. It cannot be guessed. */
  readonly reader: string;
  readonly clock: Clock;
  readonly ask: (question: TraceQuestion) => Promise<TraceAnswers>;
  readonly ended: (reading: TraceReading) => void;
}

/**
 * Reads a trace: asks all servers once a second for the steps that they have seen.
 *
 * While the reader is slow, the steps wait on the servers, which drop and count what finds no room.
 * A server that joins hears of the trace by the next question.
 */
export class TraceReading implements TraceStream {
  readonly #parts: TraceReadingParts;
  readonly #lines: TraceLine[] = [];
  /** Steps of each server that were received or reported as dropped. */
  readonly #seen = new Map<string, number>();
  readonly #watching = new Set<string>();
  #wake: () => void = () => {};
  #pause: Timer | null = null;
  #lineAt: number;
  #isOver = false;

  constructor(parts: TraceReadingParts) {
    this.#parts = parts;
    this.#lineAt = parts.clock.monotonic();
  }

  /** Begins. False: somebody else reads the trace. */
  async start(): Promise<boolean> {
    const { clock, trace } = this.#parts;
    const asked = await this.#ask(true);
    if (asked.answers.some(({ answer }) => answer.isTaken)) {
      this.#isOver = true;
      return false;
    }
    const servers = asked.answers.map(({ server }) => server);
    for (const server of servers) this.#watching.add(server);
    const until = clock.now() + this.#remainingMs;
    const { id, subject } = trace;
    this.#push({ type: 'begin', id, subject, until, servers, missing: asked.missing });
    this.#take(asked);
    this.#next();
    return true;
  }

  async *lines(): AsyncGenerator<TraceLine, void, void> {
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line !== undefined) yield line;
        else if (this.#isOver) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.close();
    }
  }

  /** Ends the trace on all servers, because the reader is gone. A second call does nothing. */
  close(): void {
    if (this.#isOver) return;
    this.#end();
    void this.#parts.ask({ ...this.#question(false), ends: true });
  }

  /** This server stops. */
  stop(): void {
    if (this.#isOver) return;
    this.#push({ type: 'end', reason: 'server' });
    this.close();
  }

  #end(): void {
    this.#isOver = true;
    this.#pause?.cancel();
    this.#parts.ended(this);
    this.#wake();
  }

  #next(): void {
    if (this.#isOver) return;
    this.#pause = this.#parts.clock.after(Math.min(ASK_MS, this.#remainingMs), () => void this.#round());
  }

  async #round(): Promise<void> {
    const isLast = this.#remainingMs <= 0;
    const hasRoom = this.#lines.length < MAX_WAITING_LINES;
    const asked = await this.#ask(hasRoom, isLast);
    if (this.#isOver) return;
    this.#noteServers(asked);
    if (hasRoom || isLast) this.#take(asked);
    if (isLast) {
      this.#push({ type: 'end', reason: 'time' });
      this.#end();
    } else if (this.#parts.clock.monotonic() - this.#lineAt >= ALIVE_MS) {
      this.#push({ type: 'alive' });
    }
    this.#next();
  }

  #ask(take: boolean, ends = false): Promise<TraceAnswers> {
    return this.#parts.ask({ ...this.#question(take), ends });
  }

  #question(take: boolean): Omit<TraceQuestion, 'ends'> {
    const { trace, reader } = this.#parts;
    const { id, subject, nonceKey } = trace;
    return { type: 'trace', id, subject, nonceKey, reader, take, remainingMs: this.#remainingMs };
  }

  get #remainingMs(): number {
    const { trace, clock } = this.#parts;
    return Math.max(0, Math.round(trace.endsAt - clock.monotonic()));
  }

  #noteServers({ answers }: TraceAnswers): void {
    const now = new Set(answers.map(({ server }) => server));
    for (const server of now) {
      if (this.#watching.has(server)) continue;
      this.#watching.add(server);
      this.#push({ type: 'server', server, state: 'watching' });
    }
    for (const server of this.#watching) {
      if (now.has(server)) continue;
      this.#watching.delete(server);
      this.#push({ type: 'server', server, state: 'silent' });
    }
  }

  /** The steps of all servers in the order of their times. */
  #take({ answers }: TraceAnswers): void {
    const steps: (TraceStep & { readonly server: string })[] = [];
    const dropped: { readonly server: string; readonly count: number }[] = [];
    for (const { server, answer } of answers) {
      for (const step of answer.steps) steps.push({ server, ...step });
      const before = this.#seen.get(server) ?? 0;
      // A server that restarted counts from 0 again.
      const count = answer.total - (answer.total < before ? 0 : before) - answer.steps.length;
      if (count > 0) dropped.push({ server, count });
      this.#seen.set(server, answer.total);
    }
    for (const step of steps.sort((a, b) => a.time - b.time)) this.#push({ type: 'step', ...step });
    for (const { server, count } of dropped) this.#push({ type: 'dropped', server, count });
  }

  #push(line: TraceLine): void {
    this.#lineAt = this.#parts.clock.monotonic();
    this.#lines.push(line);
    this.#wake();
  }
}
