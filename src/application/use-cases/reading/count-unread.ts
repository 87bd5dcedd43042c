import type { RoomId, UserId } from '../../../domain/ids.ts';
import { idOf, roomKey } from '../../../domain/place.ts';
import type { RoomCount } from '../../application.ts';
import type { ReadMarkers } from '../../ports/read-markers.ts';

/**
 * Counts the unread messages of a user's rooms. The community service shows them in its list of
 * rooms.
 */
export class CountUnread {
  readonly #parts: { readonly markers: ReadMarkers };

  constructor(parts: { readonly markers: ReadMarkers }) {
    this.#parts = parts;
  }

  /**
   * Returns each room once: the room with the newest message first, rooms without messages last in
   * the order of `roomIds`.
   */
  async execute(userId: UserId, roomIds: readonly RoomId[]): Promise<readonly RoomCount[]> {
    const counts = await this.#parts.markers.unread(userId, [...new Set(roomIds)].map(roomKey));
    return counts
      .map(({ place, count, newestTime }) => ({ roomId: idOf(place), count, newestTime }))
      .sort((a, b) => (b.newestTime ?? Number.NEGATIVE_INFINITY) - (a.newestTime ?? Number.NEGATIVE_INFINITY) || 0);
  }
}
