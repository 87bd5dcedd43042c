import type { Caller } from '../../commands.ts';
import type { PlacesOfUser, UserPlace } from '../../membership/places-of-user.ts';

/** Lists the rooms, communities and channels of the caller, as far as the directory tells. */
export class ShowPlaces {
  readonly #parts: { readonly placesOfUser: PlacesOfUser };

  constructor(parts: { readonly placesOfUser: PlacesOfUser }) {
    this.#parts = parts;
  }

  /** Rejects with Refusal `try-again`. */
  execute(caller: Caller): Promise<readonly UserPlace[]> {
    return this.#parts.placesOfUser.details(caller.userId);
  }
}
