import type { PlaceRead } from '../domain/cluster-event.ts';
import type { UserId } from '../domain/ids.ts';
import type { ConversationKey } from '../domain/place.ts';
import type { Broadcast } from './broadcast.ts';
import type { Listeners } from './personal/listeners.ts';
import type { UnreadNotices } from './personal/unread-notices.ts';
import type { Clock } from './ports/clock.ts';
import type { ReadMarkers, ReadPosition } from './ports/read-markers.ts';
import type { ClusterSessions } from './presence/cluster-sessions.ts';

/** The session in which a user reads. */
export interface Reader {
  readonly userId: UserId;
  readonly sessionId: string;
}

export interface ReadMarksParts {
  readonly markers: ReadMarkers;
  readonly listeners: Listeners;
  readonly unreadNotices: UnreadNotices;
  readonly clusterSessions: ClusterSessions;
  readonly broadcast: Broadcast;
  readonly clock: Clock;
}

/**
 * Marks places as read, and reports it to the user's other sessions that listen, on every server.
 * It does not ask whether the user has sessions elsewhere: a session that began a moment ago is not
 * known here yet.
 */
export class ReadMarks {
  readonly #parts: ReadMarksParts;

  constructor(parts: ReadMarksParts) {
    this.#parts = parts;
  }

  /** The user has read everything in these places. @throws Refusal `try-again`, `store-failed` */
  async mark(reader: Reader, places: readonly ConversationKey[]): Promise<void> {
    const { markers, clock } = this.#parts;
    if (places.length > 0) this.#report(reader, await markers.mark(reader.userId, places, clock.now()));
  }

  /** The user has read a place up to this number. @throws Refusal `try-again`, `store-failed` */
  async markUpTo(reader: Reader, place: ConversationKey, seq: number): Promise<void> {
    const position = await this.#parts.markers.markUpTo(reader.userId, place, seq);
    this.#report(reader, [{ place, seq: position }]);
  }

  /** Another server reports that the user has read a place. */
  heard({ userId, place, seq }: PlaceRead): void {
    this.#show(userId, { place, seq }, null);
  }

  #report({ userId, sessionId }: Reader, positions: readonly ReadPosition[]): void {
    const { clusterSessions, broadcast } = this.#parts;
    for (const position of positions) {
      // Nothing was ever written there, so no client counts anything as unread.
      if (position.seq === 0) continue;
      this.#show(userId, position, sessionId);
      if (!clusterSessions.isAlone) void broadcast.send({ kind: 'read', userId, ...position });
    }
  }

  #show(userId: UserId, { place, seq }: ReadPosition, except: string | null): void {
    const { listeners, unreadNotices } = this.#parts;
    const user = listeners.user(userId);
    if (user === undefined) return;
    unreadNotices.read(user, place, seq);
    if (user.places?.has(place) === true) listeners.send(userId, { kind: 'read', place, seq }, except);
  }
}
