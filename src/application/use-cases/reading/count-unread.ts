import type { RoomId, UserId } from '../../../domain/ids.ts';
import { idOf, roomKey } from '../../../domain/place.ts';
import type { RoomCount } from '../../application.ts';
import type { ReadMarkers } from '../../ports/read-markers.ts';

/** Unread messages of a user's rooms, for the community service's list of rooms. */
export class CountUnread {
  readonly #markers: ReadMarkers;

  constructor(markers: ReadMarkers) {
    this.#markers = markers;
  }

  /** The room with the newest message first; rooms without messages last, in the order asked. */
  async execute(userId: UserId, roomIds: readonly RoomId[]): Promise<readonly RoomCount[]> {
    const counts = await this.#markers.unread(userId, [...new Set(roomIds)].map(roomKey));
    return counts
      .map(({ place, count, newestTime }) => ({ roomId: idOf(place), count, newestTime }))
      .sort((a, b) => (b.newestTime ?? Number.NEGATIVE_INFINITY) - (a.newestTime ?? Number.NEGATIVE_INFINITY) || 0);
  }
}
