import type { Http } from './http.ts';
import type { AnyPlaceKey } from './place-key.ts';
import { Store } from './store.ts';

/** A room, channel or community of the user, as `GET /chat-server/places` describes it. */
export interface MyPlace {
  readonly place: AnyPlaceKey;
  readonly kind: 'room' | 'channel' | 'community';
  readonly name: string | null;
  readonly communityId?: number;
  readonly members?: readonly number[] | null;
  readonly public?: boolean;
}

/** The user's rooms, communities and channels. Empty until the first answer. */
export class MyPlaces extends Store<readonly MyPlace[]> {
  readonly #http: Http;
  readonly #communities = new Map<AnyPlaceKey, number>();
  #all: readonly MyPlace[] = [];

  constructor(http: Http) {
    super(() => this.#all);
    this.#http = http;
  }

  /** Reads the list again. @throws Refused, Unanswered */
  async refresh(): Promise<void> {
    const { result } = await this.#http.get('places', {});
    this.#all = result as readonly MyPlace[];
    for (const { place, communityId } of this.#all) if (communityId !== undefined) this.name(place, communityId);
    this.changed();
  }

  /** Remembers the community of a channel. */
  name(channel: AnyPlaceKey, communityId: number): void {
    this.#communities.set(channel, communityId);
  }

  communityOf(place: AnyPlaceKey): number | null {
    return this.#communities.get(place) ?? null;
  }
}
