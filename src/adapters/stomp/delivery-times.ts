import type { Clock } from '../../application/ports/clock.ts';
import type { Origin } from '../../application/ports/local-subscribers.ts';
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

  /** To be called right after an event was written to all its connections. */
  written(origin: Origin): void {
    flushSoon(new Mark(this, origin));
  }

  flushed({ path, since }: Origin): void {
    this[path].observe((this.#clock.monotonic() - since) / 1_000);
  }
}

class Mark implements Flushable {
  readonly #times: DeliveryTimes;
  readonly #origin: Origin;

  constructor(times: DeliveryTimes, origin: Origin) {
    this.#times = times;
    this.#origin = origin;
  }

  flush(): void {
    this.#times.flushed(this.#origin);
  }
}
