import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';

/**
 * The users that the demo page offers, and the places. All lists are empty when they are unknown.
 */
export interface DemoWorld {
  readonly users: readonly { readonly id: UserId; readonly name: string; readonly image: string | null }[];
  readonly rooms: readonly { readonly id: RoomId; readonly members: readonly UserId[] }[];
  readonly communities: readonly {
    readonly id: CommunityId;
    /** Null if it has none. */
    readonly name: string | null;
    readonly members: readonly UserId[];
    /** The members of a channel are null when the whole community may read it. */
    readonly channels: readonly {
      readonly id: ChannelId;
      readonly name: string | null;
      readonly members: readonly UserId[] | null;
    }[];
  }[];
}
