import { Refusal } from '../../../domain/errors.ts';
import { checkNonce } from '../../../domain/nonce.ts';
import type { TraceSubject } from '../../../domain/trace.ts';
import type { ClusterQuestions } from '../../cluster/cluster-questions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { BegunTrace, NewTrace, TraceStream } from '../../service-calls.ts';
import { TraceReading } from '../../traces/trace-reading.ts';
import type { KnownTrace, TraceTable } from '../../traces/trace-table.ts';

/** Traces at the same time, over all servers. */
const MAX_TRACES = 5;
/** Longest trace, in minutes. */
const MAX_MINUTES = 10;

export interface TraceTrafficParts {
  readonly table: TraceTable;
  readonly questions: ClusterQuestions;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/**
 * Traces what a user or place sends and gets, over all servers. A trace ends after its time, when
 * its reader goes away, or when nobody reads it.
 */
export class TraceTraffic {
  readonly #parts: TraceTrafficParts;
  readonly #readings = new Set<TraceReading>();

  constructor(parts: TraceTrafficParts) {
    this.#parts = parts;
  }

  /**
   * Begins a trace. When this resolves, every server but the missing ones watches.
   * @throws Refusal `bad-input`, `too-fast` if there are too many traces
   */
  async begin(admin: string, { subject, minutes, nonce }: NewTrace): Promise<BegunTrace> {
    const { table, questions, clock, ids } = this.#parts;
    if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_MINUTES) {
      throw new Refusal('bad-input', `minutes must be a whole number from 1 to ${MAX_MINUTES}`);
    }
    if (nonce !== null) checkNonce(nonce);
    const nonceKey = nonce === null ? null : `${admin} ${nonce}`;
    const known = nonceKey === null ? undefined : table.withNonce(nonceKey);
    if (known !== undefined) return this.#repeated(known, subject);
    if (table.size >= MAX_TRACES) {
      const problem = `${table.size} traces are under way; the limit over all servers is ${MAX_TRACES}`;
      throw new Refusal('too-fast', problem, { retryAfterMs: table.firstEndMs });
    }
    const id = ids.secret();
    const remainingMs = minutes * 60_000;
    const until = clock.now() + remainingMs;
    const begun = { id, subject, remainingMs, reader: null, take: false, ends: false, nonceKey };
    const { missing } = await questions.ask({ type: 'trace', ...begun });
    return { id, subject, until, missing };
  }

  /** Reads a trace. Null if there is none; `taken` if somebody else reads it. */
  async read(id: string): Promise<TraceStream | 'taken' | null> {
    const { table, questions, clock, ids } = this.#parts;
    const trace = table.find(id);
    if (trace === undefined) return null;
    const reading = new TraceReading({
      trace,
      reader: ids.secret(),
      clock,
      ask: (question) => questions.ask(question),
      ended: (ended) => this.#readings.delete(ended),
    });
    this.#readings.add(reading);
    if (await reading.start()) return reading;
    this.#readings.delete(reading);
    return 'taken';
  }

  stop(): void {
    for (const reading of this.#readings) reading.stop();
    this.#parts.table.stop();
  }

  #repeated({ id, subject, endsAt }: KnownTrace, wanted: TraceSubject): BegunTrace {
    if (JSON.stringify(subject) !== JSON.stringify(wanted)) {
      throw new Refusal('bad-input', 'the nonce was used for a trace of another user or place');
    }
    const { clock } = this.#parts;
    return { id, subject, until: clock.now() + endsAt - clock.monotonic(), missing: [] };
  }
}
