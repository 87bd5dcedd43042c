import type { Clock } from '../../application/ports/clock.ts';
import type { ShownTraffic } from '../../domain/cluster-event.ts';
import type { PlaceKey } from '../../domain/place.ts';

/** A measured window is one that has ended and the one that has begun: 5 to 10 s. */
const WINDOW_MS = 5_000;
/** Counting ends this long after the last question. */
const IDLE_MS = 15_000;
/** Places that stay when there are too many; see {@link PlaceTraffic}. */
const KEPT_PLACES = 1_000;
const MAX_PLACES = 2 * KEPT_PLACES;

type CountedTraffic = Omit<ShownTraffic, 'subscriptions'>;
type Counts = Map<PlaceKey, { events: number; deliveries: number }>;

/**
 * Counts the events and deliveries of each place while somebody asks for the busiest ones.
 *
 * While nobody asks, an event costs the check of {@link isCounting}. A sample of the events would
 * cost as much, and would not find a place with few events and many subscribers. While somebody
 * asks, an event costs one look-up in a map.
 *
 * The memory is bounded: when there are 2,000 places in a window, the quieter half of them is
 * forgotten and begins again from 0. A place with more than a thousandth of all deliveries is never
 * forgotten, because no thousand others can have more. So the busiest places are exact.
 */
export class PlaceTraffic {
  readonly #clock: Pick<Clock, 'after' | 'monotonic'>;
  #current: Counts | null = null;
  #previous: Counts = new Map();
  #previousMs = 0;
  /** Monotonic times. */
  #since = 0;
  #askedAt = 0;

  constructor(clock: Pick<Clock, 'after' | 'monotonic'>) {
    this.#clock = clock;
  }

  get isCounting(): boolean {
    return this.#current !== null;
  }

  /** An event of the place was handed to so many subscriptions. */
  add(place: PlaceKey, subscriptions: number): void {
    if (this.#current === null) return;
    const counts = this.#current.get(place);
    if (counts !== undefined) {
      counts.events += 1;
      counts.deliveries += subscriptions;
      return;
    }
    if (this.#current.size === MAX_PLACES) this.#current = new Map(byTraffic(this.#current).slice(0, KEPT_PLACES));
    this.#current.set(place, { events: 1, deliveries: subscriptions });
  }

  /** The busiest places, at most `max`. The first question begins to count. */
  busiest(max: number): { readonly seconds: number; readonly places: readonly CountedTraffic[] } {
    const now = this.#clock.monotonic();
    this.#askedAt = now;
    if (this.#current === null) {
      this.#begin(now);
      return { seconds: 0, places: [] };
    }
    const sums: Counts = new Map(Array.from(this.#current, ([place, counts]) => [place, { ...counts }]));
    for (const [place, { events, deliveries }] of this.#previous) {
      const sum = sums.get(place) ?? { events: 0, deliveries: 0 };
      sums.set(place, { events: sum.events + events, deliveries: sum.deliveries + deliveries });
    }
    return {
      seconds: (this.#previousMs + now - this.#since) / 1_000,
      places: byTraffic(sums)
        .slice(0, max)
        .map(([place, counts]) => ({ place, ...counts })),
    };
  }

  #begin(now: number): void {
    this.#current = new Map();
    this.#since = now;
    this.#clock.after(WINDOW_MS, () => this.#turn());
  }

  #turn(): void {
    const now = this.#clock.monotonic();
    const isIdle = now - this.#askedAt >= IDLE_MS;
    this.#previous = isIdle ? new Map() : (this.#current ?? new Map());
    this.#previousMs = isIdle ? 0 : now - this.#since;
    if (isIdle) this.#current = null;
    else this.#begin(now);
  }
}

/** The places by their deliveries, then by their events, the busiest first. */
function byTraffic(counts: Counts): [PlaceKey, { events: number; deliveries: number }][] {
  return [...counts].sort(([, a], [, b]) => b.deliveries - a.deliveries || b.events - a.events);
}
