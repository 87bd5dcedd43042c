import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';

export interface ChannelInfo {
  readonly id: ChannelId;
  readonly name: string | null;
  /** All who may read it, private channels included. */
  readonly members: readonly UserId[];
  /** All of its community may read it; false where the directory does not say so. */
  readonly isPublic: boolean;
  /** Where the directory tells it. */
  readonly communityId: CommunityId | null;
}

/**
 * Who belongs where, by the word of the community service. Not a cache: callers keep what they hear (see `application/membership.ts`).
 * Every method rejects with `Refusal('try-again')` when the service is not reached, does not answer in time or answers nonsense.
 */
export interface RoomDirectory {
  /** Null: there is no such room. */
  roomMembers(id: RoomId): Promise<readonly UserId[] | null>;
  /** Null: there is no such community. */
  communityMembers(id: CommunityId): Promise<readonly UserId[] | null>;
  /**
   * Asked with the user's own token. Null: there is no such channel.
   * @throws Refusal `not-permitted` when that user may not read it
   */
  channel(id: ChannelId, user: { readonly userId: UserId; readonly token: string }): Promise<ChannelInfo | null>;
  /** The user's rooms and communities. */
  placesOf(userId: UserId): Promise<readonly PlaceKey[]>;
}
