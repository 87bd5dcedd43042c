import type { Clock } from '../../application/ports/clock.ts';
import type { Origin } from '../../application/ports/local-subscribers.ts';
import type { Span } from '../../application/ports/spans.ts';
import { Distribution, SECONDS } from '../support/figures.ts';
import { type Flushable, flushSoon } from '../transport/flush-soon.ts';

/**
 * Measures how long events take to the last local socket.
 *
 * Sockets are flushed in the order in which they were written to. A mark that is queued behind the
 * sockets of an event therefore shows when the last of them was flushed.
 */
export class DeliveryTimes {
  /** Seconds from the read of the SEND. */
  readonly local = new Distribution(SECONDS);
  /** Seconds from the record of another server. */
  readonly bus = new Distribution(SECONDS);
  readonly #clock: Pick<Clock, 'monotonic'>;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /**
   * To be called right after an event was written to all its connections.
   * @param span ends when the last socket was flushed; null without a trace
   */
  written(origin: Origin, span: Span | null = null): void {
    flushSoon(new Mark(this, origin, span));
  }

  flushed({ path, since }: Origin): void {
    this[path].observe((this.#clock.monotonic() - since) / 1_000);
  }
}

class Mark implements Flushable {
  readonly #times: DeliveryTimes;
  readonly #origin: Origin;

  readonly #span: Span | null;

  constructor(times: DeliveryTimes, origin: Origin, span: Span | null) {
    this.#times = times;
    this.#span = span;
    this.#origin = origin;
  }

  flush(): void {
    this.#times.flushed(this.#origin);
    this.#span?.end();
  }
}
