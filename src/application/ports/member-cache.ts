import type { UserId } from '../../domain/ids.ts';
import type { MemberListKey } from '../../domain/place.ts';

/**
 * Time for which `mend` does not replace a list that was put, in milliseconds. The community
 * service has reported such a list, and the directory may still answer with the previous one.
 */
export const REPORT_STANDS_MS = 10_000;

/** A part of the lists, in which a user was looked for. */
export interface ListsPart {
  /** Lists of this part in which the user is, or was before `forget`. */
  readonly lists: number;
  /** For the next part; null after the last one. */
  readonly next: string | null;
}

/**
 * The member lists of rooms and communities that all servers share. A list lives for 14 days after
 * it was put, added or mended, and may be dropped earlier.
 *
 * Order: of several lists that are put, the one that arrives last stays. A caller that awaits its
 * `put` reads its own list. Errors: only `listsOf` and `forget` reject, and each call settles
 * within the adapter's timeout. A cache that is down acts as an empty one: `get` and `mend` resolve
 * to null, `put` and `add` do nothing. When it is up again, it drops the lists that a `put` or
 * `mend` failed to replace. Close: by the owner of the adapter; calls afterwards find a cache that
 * is down.
 */
export interface MemberCache {
  /** True if several servers read the same lists. It never changes. */
  readonly isShared: boolean;
  /** The list; null if there is none. */
  get(place: MemberListKey): Promise<readonly UserId[] | null>;
  /**
   * Replaces the list by a reported one. It may be empty. Later changes of the given array have no
   * effect.
   */
  put(place: MemberListKey, members: readonly UserId[]): Promise<void>;
  /**
   * Like `put`, but does nothing if there is a list already. The check and the change are atomic
   * among all servers.
   */
  add(place: MemberListKey, members: readonly UserId[]): Promise<void>;
  /**
   * Replaces the list by an answer of the directory, unless a list was put less than
   * {@link REPORT_STANDS_MS} ago: that list stands and is returned. Null if the list was replaced.
   * The check and the change are atomic among all servers.
   */
  mend(place: MemberListKey, members: readonly UserId[]): Promise<readonly UserId[] | null>;
  /**
   * Counts some of the lists in which a user is, and changes nothing. Cursors and errors are those
   * of `forget`.
   */
  listsOf(userId: UserId, cursor: string | null): Promise<ListsPart>;
  /**
   * Takes a user who is erased out of some of the lists. A list keeps its lifetime. The first call
   * has the cursor null; each further call has `next` of the call before, until it is null. Lists
   * that stay unchanged during all calls are looked at.
   * @throws Refusal `try-again` if the cache is down
   */
  forget(userId: UserId, cursor: string | null): Promise<ListsPart>;
}
