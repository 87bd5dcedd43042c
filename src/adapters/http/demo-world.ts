import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';

/** Whom the demo page offers to be, and the places that there are. All lists are empty where nobody knows. */
export interface DemoWorld {
  readonly users: readonly { readonly id: UserId; readonly name: string; readonly image: string | null }[];
  readonly rooms: readonly { readonly id: RoomId; readonly members: readonly UserId[] }[];
  readonly communities: readonly {
    readonly id: CommunityId;
    readonly members: readonly UserId[];
    /** A channel's members are null where all of the community may read it. */
    readonly channels: readonly { readonly id: ChannelId; readonly members: readonly UserId[] | null }[];
  }[];
}
