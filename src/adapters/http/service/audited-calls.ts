import { BoundedMap } from '../../../application/bounded-map.ts';
import type { AuditEntry, AuditLog } from '../../../application/ports/audit-log.ts';
import type { Clock } from '../../../application/ports/clock.ts';

const REPEAT_MS = 60_000;
const MAX_READS = 1_000;

/**
 * Records the calls of administrators. The admin page repeats a read every few seconds. A read that
 * equals an earlier one, in administrator, subject and outcome, is recorded once a minute.
 */
export class AuditedCalls {
  readonly #log: AuditLog;
  readonly #clock: Pick<Clock, 'now'>;
  /** When a read was recorded, in milliseconds since 1970. */
  readonly #reads = new BoundedMap<string, number>(MAX_READS);

  constructor(log: AuditLog, clock: Pick<Clock, 'now'>) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @param changes false for a read */
  record(entry: AuditEntry, changes: boolean): void {
    if (changes || !this.#isRepeat(JSON.stringify(entry))) this.#log.record(entry);
  }

  #isRepeat(read: string): boolean {
    const now = this.#clock.now();
    // The wall clock may go back.
    if (Math.abs(now - (this.#reads.get(read) ?? Number.NEGATIVE_INFINITY)) < REPEAT_MS) return true;
    this.#reads.set(read, now);
    return false;
  }
}
