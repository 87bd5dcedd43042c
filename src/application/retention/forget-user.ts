import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ClusterQuestions } from '../cluster/cluster-questions.ts';
import type { ChannelAccess } from '../membership/channel-access.ts';
import type { MemberLists } from '../membership/member-lists.ts';
import type { Notifications } from '../messages/notifications.ts';
import type { Restrictions } from '../moderation/restrictions.ts';
import type { Feeds } from '../ordering/feeds.ts';
import type { ListsPart, MemberCache } from '../ports/member-cache.ts';
import type { ModerationStore } from '../ports/moderation-store.ts';
import type { UserDirectory } from '../ports/user-directory.ts';
import type { Sessions } from '../presence/sessions.ts';

export interface ForgetHereParts {
  readonly sessions: Sessions;
  readonly users: UserDirectory;
  readonly lists: MemberLists;
  readonly channels: ChannelAccess;
  readonly memberCache: MemberCache;
  readonly restrictions: Restrictions;
  readonly notifications: Notifications;
  readonly feeds: Feeds;
}

/** Takes a user who is erased out of the memory of this server. It can be repeated. */
export class ForgetHere {
  readonly #parts: ForgetHereParts;

  constructor(parts: ForgetHereParts) {
    this.#parts = parts;
  }

  /**
   * Ends the user's sessions here, so that they leave presence and voice channels. Drops their
   * profile, mutes and waiting notifications, their place in member lists, and the remembered
   * events of all places: some may hold their name. Returns the number of sessions.
   */
  execute(userId: UserId): number {
    const { sessions, users, lists, channels, memberCache, restrictions, notifications, feeds } = this.#parts;
    const ended = sessions.of(userId).length;
    sessions.endAllOf(userId, new Refusal('not-permitted', 'the user is erased'));
    users.forget(userId);
    lists.forget(userId);
    channels.forget(userId);
    // One server clears a shared cache for all of them.
    if (!memberCache.isShared) void removeFromLists(memberCache, userId, async () => {}).catch(() => undefined);
    restrictions.forget(userId);
    notifications.forget(userId);
    feeds.forgetAll();
    return ended;
  }
}

/**
 * The entries of a user beside the messages that were found, and removed unless it was a dry run.
 */
export interface ForgottenCounts {
  /** Sessions on all servers. */
  readonly sessions: number;
  /** Member lists of the cache. */
  readonly memberLists: number;
  /** Mutes, disconnects, turns of slow mode, and reasons of bans. */
  readonly restrictions: number;
  /** Ids of live servers that did not answer. They may hold the user in their memory. */
  readonly missing: readonly string[];
}

export interface ForgetEverywhereParts {
  readonly questions: ClusterQuestions;
  readonly memberCache: MemberCache;
  readonly moderationStore: ModerationStore;
}

/**
 * Takes a user who is erased out of everything but the message store: the memory of all servers,
 * the member lists and the orders of administrators. It can be repeated.
 */
export class ForgetEverywhere {
  readonly #parts: ForgetEverywhereParts;

  constructor(parts: ForgetEverywhereParts) {
    this.#parts = parts;
  }

  /**
   * @param step is called between the parts of a long work
   * @throws Refusal `try-again`, `store-failed`
   */
  async execute(userId: UserId, step: () => Promise<void>): Promise<ForgottenCounts> {
    const { questions, memberCache, moderationStore } = this.#parts;
    const restrictions = await moderationStore.forgetUser(userId);
    const { answers, missing } = await questions.ask({ type: 'forget', userId });
    const sessions = answers.reduce((sum, { answer }) => sum + (answer.type === 'forgotten' ? answer.sessions : 0), 0);
    const memberLists = await removeFromLists(memberCache, userId, step);
    return { sessions, memberLists, restrictions, missing };
  }

  /**
   * Counts what `execute` would remove, and changes nothing.
   * @param step is called between the parts of a long work
   * @throws Refusal `try-again`, `store-failed`
   */
  async count(userId: UserId, step: () => Promise<void>): Promise<ForgottenCounts> {
    const { questions, memberCache, moderationStore } = this.#parts;
    const restrictions = await moderationStore.entriesOf(userId);
    const { answers, missing } = await questions.ask({ type: 'sessions', userId });
    const sessions = answers.reduce((sum, { answer }) => sum + answer.sessions.length, 0);
    const memberLists = await eachPart((cursor) => memberCache.listsOf(userId, cursor), step);
    return { sessions, memberLists, restrictions, missing };
  }
}

function removeFromLists(cache: MemberCache, userId: UserId, step: () => Promise<void>): Promise<number> {
  return eachPart((cursor) => cache.forget(userId, cursor), step);
}

/** Calls `look` for all parts. Resolves to the number of lists in them. */
async function eachPart(
  look: (cursor: string | null) => Promise<ListsPart>,
  step: () => Promise<void>,
): Promise<number> {
  let count = 0;
  for (let cursor: string | null = null; ; ) {
    const { lists, next }: ListsPart = await look(cursor);
    count += lists;
    if (next === null) return count;
    cursor = next;
    await step();
  }
}
