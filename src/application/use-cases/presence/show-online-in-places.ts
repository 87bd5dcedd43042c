import type { UserId } from '../../../domain/ids.ts';
import type { PlaceKey } from '../../../domain/place.ts';
import type { Caller } from '../../commands.ts';
import { distinctPlaces, orRefused, type RefusedPlace } from '../../refused-place.ts';
import type { ShowOnline } from './show-online.ts';

/** The members of a place who are online. */
export interface OnlineUsers {
  readonly place: PlaceKey;
  /** By ascending id. */
  readonly users: readonly UserId[];
}

/** Lists the members who are online in each of several places. */
export class ShowOnlineInPlaces {
  readonly #parts: { readonly showOnline: ShowOnline };

  constructor(parts: { readonly showOnline: ShowOnline }) {
    this.#parts = parts;
  }

  /**
   * Each place once, in the order of the query. A place that the caller may not read is answered by
   * its refusal. Rejects with Refusal `bad-input` for too many places.
   */
  async execute(
    caller: Caller,
    { places }: { readonly places: readonly PlaceKey[] },
  ): Promise<readonly (OnlineUsers | RefusedPlace)[]> {
    const { showOnline } = this.#parts;
    const onlineIn = async (place: PlaceKey): Promise<OnlineUsers> => ({
      place,
      users: await showOnline.execute(caller, { place }),
    });
    return Promise.all(distinctPlaces(places).map((place) => orRefused(place, () => onlineIn(place))));
  }
}
