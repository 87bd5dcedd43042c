import type { ChannelInfo, RoomDirectory } from '../../application/ports/room-directory.ts';
import { Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { MemoryDirectory } from './directory.ts';
import type { Community } from './directory-file.ts';

/**
 * Reads members of rooms, communities and channels from a small world in memory. It is always
 * reached.
 */
export class MemoryRoomDirectory implements RoomDirectory {
  readonly #directory: MemoryDirectory;

  constructor(directory: MemoryDirectory) {
    this.#directory = directory;
  }

  async roomMembers(id: RoomId): Promise<readonly UserId[] | null> {
    return this.#directory.room(id) ?? null;
  }

  async communityMembers(id: CommunityId): Promise<readonly UserId[] | null> {
    return this.#directory.community(id)?.members ?? null;
  }

  async channel(id: ChannelId, user: { readonly userId: UserId }): Promise<ChannelInfo | null> {
    const communityId = this.#directory.communityOfChannel(id);
    const community = communityId === undefined ? undefined : this.#directory.community(communityId);
    const listed = community?.channels.get(id);
    if (communityId === undefined || community === undefined || listed === undefined) return null;
    const info = channelInfo(id, communityId, community, listed);
    if (!info.members.includes(user.userId)) {
      throw new Refusal('not-permitted', `you are not a member of channel ${id}`);
    }
    return info;
  }

  async channelsOf(id: CommunityId): Promise<readonly ChannelInfo[]> {
    const community = this.#directory.community(id);
    if (community === undefined) return [];
    return [...community.channels].map(([channelId, listed]) => channelInfo(channelId, id, community, listed));
  }

  async placesOf(userId: UserId): Promise<readonly PlaceKey[]> {
    return this.#directory.placesOf(userId);
  }
}

function channelInfo(
  id: ChannelId,
  communityId: CommunityId,
  community: Community,
  listed: readonly UserId[] | null,
): ChannelInfo {
  // A user who is not in the community is not in its private channels either, even if they are
  // still listed there.
  const members = listed === null ? community.members : listed.filter((member) => community.members.includes(member));
  return { id, name: community.channelNames.get(id) ?? null, members, isPublic: listed === null, communityId };
}
