import { Refusal } from '../domain/errors.ts';
import type { PlaceKey } from '../domain/place.ts';
import type { MaybePromise } from './commands.ts';

/** The answer for one place of a query about several places, where it is refused. */
export interface RefusedPlace<Place extends PlaceKey = PlaceKey> {
  readonly place: Place;
  readonly refusal: Refusal;
}

/** The largest number of places in one query. */
const MAX_PLACES = 200;

/**
 * The places without repeats, in their order.
 * @throws Refusal `bad-input` if there are too many of them
 */
export function distinctPlaces<Place extends PlaceKey>(places: readonly Place[]): Place[] {
  if (places.length > MAX_PLACES) {
    throw new Refusal('bad-input', `the request names ${places.length} places; the limit is ${MAX_PLACES}`);
  }
  return [...new Set(places)];
}

/** Resolves to the answer, or to the refusal of this place. Rejects with any other error. */
export async function orRefused<Place extends PlaceKey, Answer>(
  place: Place,
  answer: () => MaybePromise<Answer>,
): Promise<Answer | RefusedPlace<Place>> {
  try {
    return await answer();
  } catch (refusal) {
    if (refusal instanceof Refusal) return { place, refusal };
    throw refusal;
  }
}
