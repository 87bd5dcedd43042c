import { Refusal } from '../../domain/errors.ts';
import type { CommunityId, UserId } from '../../domain/ids.ts';
import {
  type ChannelKey,
  type CommunityKey,
  channelKey,
  idOf,
  isChannel,
  isRoom,
  type MemberListKey,
  type PlaceKey,
  type RoomKey,
} from '../../domain/place.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { ChannelAccess } from './channel-access.ts';
import type { MemberLists } from './member-lists.ts';

/** A place of a user, with what is known of it. */
export type UserPlace =
  | {
      readonly kind: 'room';
      readonly place: RoomKey;
      /** Null while the directory does not answer. */
      readonly members: readonly UserId[] | null;
    }
  | { readonly kind: 'community'; readonly place: CommunityKey }
  | UserChannel;

export interface UserChannel {
  readonly kind: 'channel';
  readonly place: ChannelKey;
  /** Null if it is not known. */
  readonly communityId: CommunityId | null;
  readonly name: string | null;
  readonly isPublic: boolean;
}

export interface PlacesOfUserParts {
  readonly directory: RoomDirectory;
  readonly lists: MemberLists;
  readonly channels: ChannelAccess;
}

/**
 * Finds the rooms, communities and channels of a user. A reported list counts more than the
 * directory. Where the directory cannot list the channels of a community, the channels are those
 * that this server knows because somebody used them here.
 */
export class PlacesOfUser {
  readonly #parts: PlacesOfUserParts;

  constructor(parts: PlacesOfUserParts) {
    this.#parts = parts;
  }

  /** @throws Refusal `try-again` if the directory cannot be reached */
  async keys(userId: UserId): Promise<PlaceKey[]> {
    const listed = await this.#listed(userId);
    return [...listed, ...(await this.#channelsIn(userId, listed)).map(({ place }) => place)];
  }

  /** @throws Refusal `try-again` if the directory cannot be reached */
  async details(userId: UserId): Promise<UserPlace[]> {
    const listed = await this.#listed(userId);
    const channels = this.#channelsIn(userId, listed);
    const places = listed.map(async (place): Promise<UserPlace> => {
      return isRoom(place)
        ? { kind: 'room', place, members: await this.#membersOf(place) }
        : { kind: 'community', place };
    });
    return [...(await Promise.all(places)), ...(await channels)];
  }

  /** The rooms and communities. */
  async #listed(userId: UserId): Promise<MemberListKey[]> {
    const { directory, lists } = this.#parts;
    const places = new Set<MemberListKey>();
    for (const place of await directory.placesOf(userId)) if (!isChannel(place)) places.add(place);
    for (const [place, { members }] of lists.reported()) {
      if (members.has(userId)) places.add(place);
      else places.delete(place);
    }
    return [...places];
  }

  async #channelsIn(userId: UserId, listed: readonly MemberListKey[]): Promise<UserChannel[]> {
    const { directory, channels } = this.#parts;
    const communities = listed.filter((place) => !isRoom(place)).map(idOf);
    const answers = await Promise.all(communities.map((id) => directory.channelsOf(id)));
    const unknown = new Set(communities.filter((_, at) => answers[at] === null));
    const found: UserChannel[] = [];
    for (const { id, name, members, isPublic, communityId } of answers.flatMap((answer) => answer ?? [])) {
      const isIn = isPublic || members.includes(userId);
      if (isIn) found.push({ kind: 'channel', place: channelKey(id), communityId, name, isPublic });
    }
    for (const channel of channels.known()) {
      const { id, name, isPublic, home } = channel;
      const isIn = (home.certain === null || unknown.has(home.certain)) && channels.contains(channel, userId);
      if (isIn) found.push({ kind: 'channel', place: channelKey(id), communityId: home.certain, name, isPublic });
    }
    return found;
  }

  async #membersOf(place: RoomKey): Promise<readonly UserId[] | null> {
    try {
      return [...(await this.#parts.lists.get(place)).members];
    } catch (error) {
      if (error instanceof Refusal) return null;
      throw error;
    }
  }
}
