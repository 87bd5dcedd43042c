import type { ConversationKey } from '../../domain/place.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { Clock } from '../ports/clock.ts';

/** A heard number is remembered for this time at least, in milliseconds. */
const GENERATION_MS = 30_000;
/** Places of one generation. A busy cluster with more places publishes some batches twice. */
const MAX_PLACES = 20_000;
/** Ranges of one place. More than one appears only while records of several streams overtake. */
const MAX_RANGES = 8;

/** Consecutive numbers that were heard, both ends included. */
interface Range {
  from: number;
  to: number;
}

/**
 * The numbers of the events that arrived from the bus in the last half minute or longer, as
 * ranges of each place. A place takes about 170 bytes, however many numbers it has.
 */
export class HeardNumbers {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #current = new BoundedMap<ConversationKey, Range[]>(MAX_PLACES);
  #former = new BoundedMap<ConversationKey, Range[]>(MAX_PLACES);
  #began: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  heard(place: ConversationKey, seq: number): void {
    const ranges = this.#current.get(place);
    if (ranges === undefined) {
      this.#turn();
      this.#current.set(place, [{ from: seq, to: seq }]);
      return;
    }
    const last = ranges.at(-1);
    // Nearly always the next number.
    if (last !== undefined && last.to === seq - 1) last.to = seq;
    else addTo(ranges, seq);
  }

  /** True if every number from `first` to `last` was heard. */
  has(place: ConversationKey, first: number, last: number): boolean {
    this.#turn();
    const ranges = [...(this.#former.get(place) ?? []), ...(this.#current.get(place) ?? [])];
    let next = first;
    for (let found: Range | undefined; next <= last; next = found.to + 1) {
      found = ranges.find(({ from, to }) => from <= next && next <= to);
      if (found === undefined) return false;
    }
    return true;
  }

  #turn(): void {
    const now = this.#clock.monotonic();
    if (now - this.#began < GENERATION_MS) return;
    this.#former = this.#current;
    this.#current = new BoundedMap(MAX_PLACES);
    this.#began = now;
  }
}

function addTo(ranges: Range[], seq: number): void {
  if (ranges.some(({ from, to }) => from <= seq && seq <= to)) return;
  const before = ranges.findIndex(({ to }) => to === seq - 1);
  const after = ranges.findIndex(({ from }) => from === seq + 1);
  const range = { from: ranges[before]?.from ?? seq, to: ranges[after]?.to ?? seq };
  const others = ranges.filter((_, index) => index !== before && index !== after);
  ranges.splice(0, ranges.length, ...others.slice(1 - MAX_RANGES), range);
}
