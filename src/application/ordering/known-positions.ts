import type { ConversationKey } from '../../domain/place.ts';
import { BoundedMap } from '../bounded-map.ts';

/** Places that are remembered, at most. A place that was dropped costs one read of the store. */
const MAX_PLACES = 200_000;

/**
 * The newest number of each place as far as this server knows. It may be behind the store: another
 * server may have stored events that this server has not heard of yet. The store then answers an
 * append with `conflict`.
 */
export class KnownPositions {
  readonly #positions = new BoundedMap<ConversationKey, number>(MAX_PLACES);

  get(place: ConversationKey): number | undefined {
    return this.#positions.get(place);
  }

  /**
   * The store has events of the place up to `seq`, according to a read or to an append of this
   * server.
   */
  learn(place: ConversationKey, seq: number): void {
    this.#positions.set(place, Math.max(this.#positions.get(place) ?? 0, seq));
  }

  /**
   * Another server has stored events up to `seq`. Does nothing for a place that this server does
   * not write to.
   */
  heard(place: ConversationKey, seq: number): void {
    const known = this.#positions.get(place);
    if (known !== undefined && known < seq) this.#positions.set(place, seq);
  }

  /** The position is read from the store before the next append. */
  forget(place: ConversationKey): void {
    this.#positions.delete(place);
  }
}
