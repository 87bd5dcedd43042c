import { statSync } from 'node:fs';
import type { UserProfile } from '../../application/ports/user-directory.ts';
import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';
import { communityKey, type MemberListKey, roomKey } from '../../domain/place.ts';
import {
  type Community,
  DEMO_WORLD,
  type DirectoryFile,
  loadDirectoryFile,
  readDirectory,
  type World,
} from './directory-file.ts';

export interface MemoryDirectoryOptions {
  /** A directory file. It is read at once, and again whenever it has changed. */
  readonly path?: string;
  /** Used if there is no `path`. Default: the demo world. */
  readonly world?: DirectoryFile;
  /**
   * A changed file cannot be used; the content read before stays in force. Called once for each
   * change.
   */
  readonly onError?: (error: Error) => void;
  /** Interval between two checks for a change, in milliseconds. Default: 1,000. */
  readonly checkMs?: number;
  /** Milliseconds of a clock that never goes back. Default: the process's own. */
  readonly now?: () => number;
}

/**
 * A small world in memory that takes the place of the community service and the user service. It
 * changes only when its file changes.
 */
export class MemoryDirectory {
  readonly #path: string | undefined;
  readonly #onError: (error: Error) => void;
  readonly #checkMs: number;
  readonly #now: () => number;
  #world: World;
  /** The community of each channel. */
  #owners: ReadonlyMap<ChannelId, CommunityId>;
  /**
   * The places of each user. Every connect needs them. With a thousand rooms, searching for them
   * took 9 % of the time of a connect.
   */
  #places: ReadonlyMap<UserId, readonly MemberListKey[]>;
  /** The state of the file when it was last read. */
  #fileState: string | undefined;
  #nextCheck = 0;

  /** @throws Error that says what is wrong with the file */
  constructor(options: MemoryDirectoryOptions = {}) {
    this.#path = options.path;
    this.#onError = options.onError ?? (() => {});
    this.#checkMs = options.checkMs ?? 1_000;
    this.#now = options.now ?? (() => performance.now());
    if (options.path === undefined)
      this.#world = options.world === undefined ? DEMO_WORLD : readDirectory(options.world);
    else {
      this.#fileState = stateOf(options.path);
      this.#world = loadDirectoryFile(options.path);
      this.#nextCheck = this.#now() + this.#checkMs;
    }
    this.#owners = communitiesByChannel(this.#world);
    this.#places = placesByUser(this.#world);
  }

  user(id: UserId): UserProfile | undefined {
    return this.users().get(id);
  }

  users(): ReadonlyMap<UserId, UserProfile> {
    return this.#current().users;
  }

  room(id: RoomId): readonly UserId[] | undefined {
    return this.rooms().get(id);
  }

  rooms(): ReadonlyMap<RoomId, readonly UserId[]> {
    return this.#current().rooms;
  }

  community(id: CommunityId): Community | undefined {
    return this.communities().get(id);
  }

  communities(): ReadonlyMap<CommunityId, Community> {
    return this.#current().communities;
  }

  communityOfChannel(id: ChannelId): CommunityId | undefined {
    this.#current();
    return this.#owners.get(id);
  }

  /** The rooms and communities of a user. */
  placesOf(id: UserId): readonly MemberListKey[] {
    this.#current();
    return this.#places.get(id) ?? [];
  }

  /** The world, read again if the file has changed since the last check. */
  #current(): World {
    if (this.#path === undefined || this.#now() < this.#nextCheck) return this.#world;
    this.#nextCheck = this.#now() + this.#checkMs;
    try {
      const state = stateOf(this.#path);
      if (state === this.#fileState) return this.#world;
      this.#fileState = state;
      this.#world = loadDirectoryFile(this.#path);
      this.#owners = communitiesByChannel(this.#world);
      this.#places = placesByUser(this.#world);
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
    return this.#world;
  }
}

function communitiesByChannel({ communities }: World): Map<ChannelId, CommunityId> {
  const owners = new Map<ChannelId, CommunityId>();
  for (const [communityId, { channels }] of communities) {
    for (const channelId of channels.keys()) owners.set(channelId, communityId);
  }
  return owners;
}

function placesByUser({ communities, rooms }: World): Map<UserId, MemberListKey[]> {
  const byUser = new Map<UserId, MemberListKey[]>();
  const add = (place: MemberListKey, members: readonly UserId[]): void => {
    for (const userId of members) {
      const places = byUser.get(userId);
      if (places === undefined) byUser.set(userId, [place]);
      else places.push(place);
    }
  };
  for (const [id, { members }] of communities) add(communityKey(id), members);
  for (const [id, members] of rooms) add(roomKey(id), members);
  return byUser;
}

/**
 * A text that changes whenever the file changes; undefined if there is no file, so that reading it
 * reports why.
 */
function stateOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}
