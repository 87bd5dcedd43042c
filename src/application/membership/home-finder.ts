import type { CommunityId, UserId } from '../../domain/ids.ts';
import { communityKey, idOf, isCommunity } from '../../domain/place.ts';
import type { ChannelInfo, RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { ChannelHome } from './channel-home.ts';
import type { MemberLists } from './member-lists.ts';

export interface HomeFinderParts {
  readonly directory: RoomDirectory;
  readonly lists: MemberLists;
  readonly telemetry: Telemetry;
}

/**
 * Finds the community of a channel, or the candidates for it where the directory does not name it.
 */
export class HomeFinder {
  readonly #parts: HomeFinderParts;

  constructor(parts: HomeFinderParts) {
    this.#parts = parts;
  }

  /**
   * @param userId a member of the channel; their communities are the first candidates
   * @param known the home that was found before
   * @throws Refusal `try-again` if candidates were known and the directory cannot be reached
   */
  async find(info: ChannelInfo, userId: UserId, known: ChannelHome | undefined): Promise<ChannelHome> {
    const { communityId } = info;
    if (communityId !== null) return new ChannelHome([communityId], known, true);
    if (known !== undefined && known.candidates.length === 1) return known;
    if (known !== undefined && known.candidates.length > 1) {
      // A candidate that no longer contains all members, according to the directory, is not the
      // community of the channel.
      const { ids, isExact } = await this.#fitting(known.candidates, info);
      return new ChannelHome(ids.length > 0 ? ids : known.candidates, known, isExact);
    }
    try {
      const { ids, isExact } = await this.#fitting(await this.#communitiesOf(userId), info);
      return new ChannelHome(ids, known, isExact);
    } catch (error) {
      this.#parts.telemetry.log('debug', 'community of a channel not found', {
        channel: info.id,
        error,
      });
      return new ChannelHome([], known);
    }
  }

  async #communitiesOf(userId: UserId): Promise<CommunityId[]> {
    const communities: CommunityId[] = [];
    for (const place of await this.#parts.directory.placesOf(userId)) {
      if (isCommunity(place)) communities.push(idOf(place));
    }
    return communities;
  }

  /**
   * Those of the communities that contain all members of the channel. For a public channel,
   * communities with exactly these members come first: if there are any, only they are returned.
   */
  async #fitting(
    ids: readonly CommunityId[],
    { members, isPublic }: ChannelInfo,
  ): Promise<{ readonly ids: readonly CommunityId[]; readonly isExact: boolean }> {
    const sizes = await Promise.all(ids.map((id) => this.#sizeAround(id, members)));
    const fitting = ids.map((id, at) => ({ id, size: sizes[at] ?? null })).filter(({ size }) => size !== null);
    const exact = isPublic ? fitting.filter(({ size }) => size === members.length) : [];
    const isExact = exact.length > 0;
    return { ids: (isExact ? exact : fitting).map(({ id }) => id), isExact };
  }

  /**
   * The number of members of the community if it contains all of these users, otherwise null. If
   * the list that this server knows contains at least half of them but not all, the directory's own
   * list decides. It matches the directory's list of the channel even where both are older than a
   * reported list.
   */
  async #sizeAround(id: CommunityId, members: readonly UserId[]): Promise<number | null> {
    const { lists, directory } = this.#parts;
    const known = (await lists.get(communityKey(id))).members;
    const contained = members.filter((user) => known.has(user)).length;
    if (contained === members.length) return known.size;
    if (contained * 2 < members.length) return null;
    const all = new Set((await directory.communityMembers(id)) ?? []);
    return members.every((user) => all.has(user)) ? all.size : null;
  }
}
