import type { UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileStore } from '../ports/file-store.ts';
import type { ErasureMode, Job } from '../ports/job-store.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { StoredData } from '../ports/stored-data.ts';
import type { ForgetEverywhere, ForgottenCounts } from './forget-user.ts';
import { type JobContext, Tally } from './job-context.ts';
import { fileKeysOf } from './remove-expired.ts';

const BATCH_PLACES = 50;
/** Messages that are deleted at the same time. They share appends. */
const BATCH_MESSAGES = 100;
/** Numbers of a place that are looked through in one call. */
export const BATCH_NUMBERS = 2_000;
/** Passes over all places. A user who goes on writing may need several. */
const MAX_PASSES = 5;

export interface EraseUserParts {
  readonly data: StoredData;
  readonly store: Pick<MessageStore, 'newest'>;
  readonly files: FileStore;
  readonly clock: Clock;
  /** Deletes a message of any author by an event, so that clients forget it. */
  readonly deleteMessage: (message: Message) => Promise<void>;
  /** This server forgets the events of the place that it remembers for resumes. */
  readonly forgetRecent: (place: ConversationKey) => void;
  /** Takes the user out of the memory of all servers, the member lists and the orders. */
  readonly forgetEverywhere: ForgetEverywhere;
}

/**
 * Takes one person out of the store, the member lists, the orders of administrators and the memory
 * of all servers. It goes through all places, and then through all of them again to see that
 * nothing is left. Everything can be repeated, so that another server may continue it.
 */
export class EraseUser {
  readonly #parts: EraseUserParts;

  constructor(parts: EraseUserParts) {
    this.#parts = parts;
  }

  async run({ job, step }: JobContext): Promise<Job> {
    const { task } = job;
    const { clock } = this.#parts;
    if (task.kind !== 'erasure' || task.userId === null) return { ...job, state: 'done', finishedAt: clock.now() };
    const tally = new Tally(job.counts);
    const { userId, mode, dryRun } = task;
    let cursor = job.cursor;
    let missing: readonly string[] = [];
    const saved = (): Promise<void> => step({ cursor, counts: tally.counts });
    // Sessions end first: the end of a session writes a read position.
    if (dryRun) await this.#countOutside(userId, tally, saved);
    else await this.#forgetOutside(userId, tally, saved);
    for (let pass = 1; pass <= MAX_PASSES; pass += 1) {
      await this.#eachPlace(cursor, async (place, next) => {
        if (dryRun) await this.#count(userId, place, tally, saved);
        else await this.#clear(userId, mode, place, tally, saved);
        cursor = next ?? cursor;
      });
      cursor = null;
      if (dryRun) break;
      const outside = await this.#forgetOutside(userId, tally, saved);
      const left = (await this.#scan(userId, saved)) + outside.restrictions;
      tally.set('left', left);
      tally.set('listedAgain', outside.memberLists);
      missing = outside.missing;
      if (left === 0) break;
    }
    if (!dryRun && tally.get('left') > 0) {
      throw new Error(`${tally.get('left')} entries of the user are left; ban the user so that no new ones come`);
    }
    if (missing.length > 0) throw new Error(`${missing.join(', ')} did not confirm that the user is forgotten there`);
    return {
      ...job,
      // A finished job does not name the user any more.
      task: { ...task, userId: null },
      state: 'done',
      cursor: null,
      counts: tally.counts,
      error: null,
      finishedAt: clock.now(),
    };
  }

  async #forgetOutside(userId: UserId, tally: Tally, saved: () => Promise<void>): Promise<ForgottenCounts> {
    const found = await this.#parts.forgetEverywhere.execute(userId, saved);
    tally.add('sessions', found.sessions);
    tally.add('memberLists', found.memberLists);
    tally.add('restrictions', found.restrictions);
    return found;
  }

  /** Sets the counts, so that a server that takes the job over counts nothing twice. */
  async #countOutside(userId: UserId, tally: Tally, saved: () => Promise<void>): Promise<void> {
    const found = await this.#parts.forgetEverywhere.count(userId, saved);
    tally.set('sessions', found.sessions);
    tally.set('memberLists', found.memberLists);
    tally.set('restrictions', found.restrictions);
    tally.set('missingServers', found.missing.length);
  }

  /** Calls `visit` for all places; `next` is the position behind the place, where it is known. */
  async #eachPlace(
    from: string | null,
    visit: (place: ConversationKey, next: string | null) => Promise<void>,
  ): Promise<void> {
    for (let cursor = from; ; ) {
      const { places, next } = await this.#parts.data.places(cursor, BATCH_PLACES);
      for (const [i, place] of places.entries()) await visit(place, i === places.length - 1 ? next : null);
      if (next === null) return;
      cursor = next;
    }
  }

  async #clear(
    userId: UserId,
    mode: ErasureMode,
    place: ConversationKey,
    tally: Tally,
    saved: () => Promise<void>,
  ): Promise<void> {
    const { data, files, deleteMessage, forgetRecent } = this.#parts;
    for (;;) {
      const messages = await data.messagesOf(userId, place, null, BATCH_MESSAGES);
      if (messages.length === 0) break;
      if (mode === 'anonymise') {
        await data.anonymiseMessages(
          userId,
          place,
          messages.map(({ id }) => id),
        );
      } else {
        const keys = messages.flatMap(fileKeysOf);
        await Promise.all(keys.map((key) => files.remove(key)));
        await Promise.all(messages.map(deleteMessage));
        tally.add('files', keys.length);
      }
      tally.add('messages', messages.length);
      await saved();
    }
    let changed = 0;
    for (const [from, to] of await this.#ranges(place)) {
      const events = await data.eventsOf(userId, place, from, to);
      // Also without events: an event of an unknown kind is not listed.
      await data.anonymiseEvents(userId, place, from, to);
      changed += events.length;
      await saved();
    }
    if (changed > 0) forgetRecent(place);
    tally.add('events', changed);
    if ((await data.readingOf(userId, place)) !== null) tally.add('readPositions', 1);
    await data.forgetReader(userId, place);
  }

  async #count(userId: UserId, place: ConversationKey, tally: Tally, saved: () => Promise<void>): Promise<void> {
    const { data } = this.#parts;
    for await (const messages of messagePages(data, userId, place)) {
      tally.add('messages', messages.length);
      tally.add('files', messages.flatMap(fileKeysOf).length);
      await saved();
    }
    for (const [from, to] of await this.#ranges(place)) {
      tally.add('events', (await data.eventsOf(userId, place, from, to)).length);
      await saved();
    }
    if ((await data.readingOf(userId, place)) !== null) tally.add('readPositions', 1);
  }

  /** The number of messages, events and read positions of the user in the whole store. */
  async #scan(userId: UserId, saved: () => Promise<void>): Promise<number> {
    const left = new Tally({});
    await this.#eachPlace(null, (place) => this.#count(userId, place, left, saved));
    return left.get('messages') + left.get('events') + left.get('readPositions');
  }

  async #ranges(place: ConversationKey): Promise<[number, number][]> {
    return numberRanges((await this.#parts.store.newest([place])).get(place) ?? 0);
  }
}

/** The numbers 1 to `newest` in parts that one call looks through. */
export function numberRanges(newest: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (let from = 1; from <= newest; from += BATCH_NUMBERS) {
    ranges.push([from, Math.min(newest, from + BATCH_NUMBERS - 1)]);
  }
  return ranges;
}

/** The messages of a user in a place, in parts. */
export async function* messagePages(
  data: StoredData,
  userId: UserId,
  place: ConversationKey,
): AsyncGenerator<readonly Message[]> {
  for (let after: string | null = null; ; ) {
    const page: readonly Message[] = await data.messagesOf(userId, place, after, BATCH_MESSAGES);
    if (page.length > 0) yield page;
    if (page.length < BATCH_MESSAGES) return;
    after = page.at(-1)?.id ?? null;
  }
}
