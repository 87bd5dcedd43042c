import { statSync } from 'node:fs';
import type { UserProfile } from '../../application/ports/user-directory.ts';
import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';
import { communityKey, type MemberListKey, roomKey } from '../../domain/place.ts';
import { type Community, DEMO_WORLD, type DirectoryFile, loadDirectoryFile, readDirectory } from './directory-file.ts';

export interface MemoryDirectoryOptions {
  /** A file to read, and to read again when it was changed. */
  readonly path?: string;
  /** Used where there is no `path`; default: the demo world. */
  readonly world?: DirectoryFile;
  /** A changed file can't be read; what was read before stands. */
  readonly onError?: (error: Error) => void;
  /** How long (ms) between two looks at the file; default 1 s. */
  readonly checkMs?: number;
  readonly now?: () => number;
}

/**
 * The small world that stands for the community and the user service. Lists set by `replaceRoom` and `replaceCommunity` hold until the
 * file is changed.
 */
export class MemoryDirectory {
  readonly #path: string | undefined;
  readonly #onError: (error: Error) => void;
  readonly #checkMs: number;
  readonly #now: () => number;
  #users = new Map<UserId, UserProfile>();
  #rooms = new Map<RoomId, readonly UserId[]>();
  #communities = new Map<CommunityId, Community>();
  #owners = new Map<ChannelId, CommunityId>();
  /** Where each user belongs; made anew when somebody asks after a change. */
  #places: Map<UserId, MemberListKey[]> | null = null;
  #mark: string | undefined;
  #checkAt = 0;

  /** @throws Error that says what is wrong with the file */
  constructor(options: MemoryDirectoryOptions = {}) {
    this.#path = options.path;
    this.#onError = options.onError ?? (() => {});
    this.#checkMs = options.checkMs ?? 1_000;
    this.#now = options.now ?? Date.now;
    if (options.path === undefined) this.#use(readDirectory(options.world ?? DEMO_WORLD));
    else {
      this.#mark = markOf(options.path);
      this.#use(loadDirectoryFile(options.path));
      this.#checkAt = this.#now() + this.#checkMs;
    }
  }

  user(id: UserId): UserProfile | undefined {
    this.#refresh();
    return this.#users.get(id);
  }

  /** All users, by id. */
  users(): ReadonlyMap<UserId, UserProfile> {
    this.#refresh();
    return this.#users;
  }

  room(id: RoomId): readonly UserId[] | undefined {
    this.#refresh();
    return this.#rooms.get(id);
  }

  rooms(): ReadonlyMap<RoomId, readonly UserId[]> {
    this.#refresh();
    return this.#rooms;
  }

  community(id: CommunityId): Community | undefined {
    this.#refresh();
    return this.#communities.get(id);
  }

  communities(): ReadonlyMap<CommunityId, Community> {
    this.#refresh();
    return this.#communities;
  }

  communityOfChannel(id: ChannelId): CommunityId | undefined {
    this.#refresh();
    return this.#owners.get(id);
  }

  /**
   * The rooms and communities that the user belongs to. Asked at each connect: looked up, not searched for, which took 9 % of a
   * connect's time with a thousand rooms, and grew with them.
   */
  placesOf(id: UserId): readonly MemberListKey[] {
    this.#refresh();
    this.#places ??= placesByUser(this.#communities, this.#rooms);
    return this.#places.get(id) ?? [];
  }

  /** The room has these members from now on; a room that was not known is made. */
  replaceRoom(id: RoomId, members: readonly UserId[]): void {
    this.#refresh();
    this.#rooms.set(id, [...members]);
    this.#places = null;
  }

  /** The community has these members from now on; one that was not known is made, without channels. */
  replaceCommunity(id: CommunityId, members: readonly UserId[]): void {
    this.#refresh();
    const channels = this.#communities.get(id)?.channels ?? new Map();
    this.#communities.set(id, { members: [...members], channels });
    this.#places = null;
  }

  #refresh(): void {
    if (this.#path === undefined || this.#now() < this.#checkAt) return;
    this.#checkAt = this.#now() + this.#checkMs;
    try {
      const mark = markOf(this.#path);
      if (mark === this.#mark) return;
      this.#mark = mark;
      this.#use(loadDirectoryFile(this.#path));
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #use(world: ReturnType<typeof readDirectory>): void {
    this.#users = new Map(world.users);
    this.#rooms = new Map(world.rooms);
    this.#communities = new Map(world.communities);
    this.#owners = new Map();
    this.#places = null;
    for (const [communityId, { channels }] of world.communities) {
      for (const channelId of channels.keys()) this.#owners.set(channelId, communityId);
    }
  }
}

function placesByUser(
  communities: ReadonlyMap<CommunityId, Community>,
  rooms: ReadonlyMap<RoomId, readonly UserId[]>,
): Map<UserId, MemberListKey[]> {
  const byUser = new Map<UserId, MemberListKey[]>();
  const add = (place: MemberListKey, members: readonly UserId[]): void => {
    for (const userId of members) {
      const places = byUser.get(userId);
      if (places === undefined) byUser.set(userId, [place]);
      // Ids of a list set by a caller may repeat.
      else if (places.at(-1) !== place) places.push(place);
    }
  };
  for (const [id, { members }] of communities) add(communityKey(id), members);
  for (const [id, members] of rooms) add(roomKey(id), members);
  return byUser;
}

/** Changes whenever the file does; undefined where it can't be looked at, so that the reading says why. */
function markOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}
