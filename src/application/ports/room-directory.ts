import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';

export interface ChannelInfo {
  readonly id: ChannelId;
  /** Well-formed Unicode. Null if the directory does not name it. */
  readonly name: string | null;
  /** All users who may read the channel, whether it is public or private. */
  readonly members: readonly UserId[];
  /** True if the whole community may read it; false also where the directory does not say. */
  readonly isPublic: boolean;
  /** Null if the directory does not name it. */
  readonly communityId: CommunityId | null;
}

/**
 * The members of rooms, communities and channels, according to the community service. It is not a
 * cache: each call asks the service, and the callers keep the answers (see
 * `application/membership`). An answer may be older than a list that the service has reported by a
 * PUT call.
 *
 * Order: none, calls may run at the same time. Lists contain each user once. Errors: each method
 * rejects with `Refusal('try-again')` if the service cannot be reached, does not answer within the
 * adapter's timeout or gives an answer that cannot be used. Close: by the owner of the adapter;
 * calls that follow reject with `try-again`.
 */
export interface RoomDirectory {
  /** Null if there is no such room. */
  roomMembers(id: RoomId): Promise<readonly UserId[] | null>;
  /** Null if there is no such community. */
  communityMembers(id: CommunityId): Promise<readonly UserId[] | null>;
  /**
   * Asks with the user's own token. Null if there is no such channel.
   * @throws Refusal `not-permitted` if that user may not read the channel
   */
  channel(id: ChannelId, user: { readonly userId: UserId; readonly token: string }): Promise<ChannelInfo | null>;
  /** All channels of a community; null if the directory cannot list channels. */
  channelsOf(id: CommunityId): Promise<readonly ChannelInfo[] | null>;
  /** The rooms and communities of a user; empty for an unknown user. */
  placesOf(userId: UserId): Promise<readonly PlaceKey[]>;
}
