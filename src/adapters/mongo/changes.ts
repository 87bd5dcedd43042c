import type { AnyBulkWriteOperation, ClientSession, Collection, Filter } from 'mongodb';
import type { MessageId } from '../../domain/ids.ts';
import { type ConversationKey, idOf, isChannel } from '../../domain/place.ts';
import type { MessageDeleted, MessageModified } from '../../domain/stored-event.ts';
import type { MongoDatabase } from './database.ts';
import { blanking, type EventDocument, idValue, type MessageDocument } from './documents.ts';
import { EDITS, PLACE_FIRST } from './indexes.ts';

/**
 * How far below a number its batch is looked for, in turn. A batch that begins further below is
 * found by a query of its own.
 */
const WINDOWS = [64, 256];
/** The most ranges of one query. */
const MAX_RANGES = 500;
/** Documents of one answer. Each further answer takes a round trip. */
const READ_AT_ONCE = 10_000;

type Change = MessageModified | MessageDeleted;

/** A deletion, and the number of the message that it deleted. */
export interface Deletion {
  readonly event: MessageDeleted;
  readonly created: number;
}

export interface ChangesParts {
  readonly db: MongoDatabase;
  readonly session: ClientSession;
  /** Ids in batches of an original server's changes: the documents may be gone. */
  readonly adopted: ReadonlySet<MessageId>;
}

/**
 * The edits and deletions of one transaction. They are gathered in order, and only the last state
 * of each message is written, all messages at once.
 */
export class Changes {
  readonly #parts: ChangesParts;
  readonly #edits = new Map<string, MessageModified>();
  readonly #deletions = new Map<string, MessageDeleted>();

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  edit(event: MessageModified): void {
    const key = keyOf(event);
    if (!this.#deletions.has(key)) this.#edits.set(key, event);
  }

  delete(event: MessageDeleted): void {
    const key = keyOf(event);
    this.#edits.delete(key);
    if (!this.#deletions.has(key)) this.#deletions.set(key, event);
  }

  /** Writes everything. Returns the deletions of messages that existed. */
  async apply(): Promise<Deletion[]> {
    const made: Deletion[] = [];
    for (const some of byCollection([...this.#edits.values(), ...this.#deletions.values()])) {
      made.push(...(await this.#applyTo(some)));
    }
    if (this.#deletions.size > 0) await this.#blank(made);
    return made;
  }

  /** @param events the last event of each message, all in places of one collection */
  async #applyTo(events: readonly [Change, ...Change[]]): Promise<Deletion[]> {
    const { db, session, adopted } = this.#parts;
    const messages = db.messagesOf(events[0].place);
    const stored = await this.#documentsOf(messages, events);
    const updates: AnyBulkWriteOperation<MessageDocument>[] = [];
    const gone: MessageDocument['_id'][] = [];
    const made: Deletion[] = [];
    const unnumbered = new Map<ConversationKey, MessageDeleted[]>();
    for (const event of events) {
      const doc = stored.get(event.id);
      const isHere = doc !== undefined && Number(doc.channelId) === idOf(event.place);
      if (event.kind === 'modify') {
        const update = { $set: { content: event.content, edited: true } };
        // A filter for the id alone costs MongoDB half as much as one for the place as well.
        if (isHere) updates.push({ updateOne: { filter: { _id: doc._id }, update } });
        continue;
      }
      if (isHere) gone.push(doc._id);
      if (isHere && typeof doc.seq === 'number') made.push({ event, created: doc.seq });
      else if (isHere || adopted.has(event.id)) addTo(unnumbered, event.place, event);
    }
    if (updates.length > 0) await messages.bulkWrite(updates, { ordered: false, session });
    if (gone.length > 0) await messages.deleteMany({ _id: { $in: gone } }, { session });
    for (const [place, some] of unnumbered) made.push(...(await this.#logged(place, some)));
    return made;
  }

  async #documentsOf(
    messages: Collection<MessageDocument>,
    events: readonly Change[],
  ): Promise<Map<MessageId, Pick<MessageDocument, '_id' | 'seq' | 'channelId'>>> {
    const filter = { _id: { $in: events.map(({ id }) => idValue(id)) } };
    const options = { projection: { seq: 1, channelId: 1 }, session: this.#parts.session, batchSize: READ_AT_ONCE };
    const docs = await messages.find(filter, options).toArray();
    return new Map(docs.map((doc) => [String(doc._id), doc]));
  }

  /**
   * Deletions of messages whose documents an original server has deleted, or saved without their
   * numbers.
   */
  async #logged(place: ConversationKey, events: readonly MessageDeleted[]): Promise<Deletion[]> {
    const { loggedMessages } = await import('./first-generation/logged-messages.ts');
    const ids = events.map(({ id }) => id);
    const logged = await loggedMessages(this.#parts.db, place, ids);
    return events.flatMap((event) => {
      const created = logged.get(event.id)?.seq ?? 0;
      return created > 0 ? [{ event, created }] : [];
    });
  }

  /**
   * Removes the texts of deleted messages from the log: from the events that created them and from
   * their edits.
   */
  async #blank(made: readonly Deletion[]): Promise<void> {
    const { db, session } = this.#parts;
    const deleted = new Map<ConversationKey, MessageId[]>();
    for (const { place, id } of this.#deletions.values()) addTo(deleted, place, id);
    const batches = await this.#batchesOf(made);
    const edits = db.events.find(
      { m: { $in: [...deleted.values()].flat() } },
      { projection: { _id: 0, p: 1, f: 1 }, hint: EDITS, session, batchSize: READ_AT_ONCE },
    );
    for (const { p, f } of await edits.toArray()) addTo(batches, p, f);
    const updates: AnyBulkWriteOperation<EventDocument>[] = [];
    for (const [place, ids] of deleted) {
      const firsts = batches.get(place);
      if (firsts === undefined) continue;
      const filter = { p: place, f: { $in: [...new Set(firsts)] } };
      updates.push({ updateMany: { filter, ...blanking(ids) } });
    }
    if (updates.length > 0) await db.events.bulkWrite(updates, { ordered: false, session });
  }

  /** The first numbers of the batches that created the messages. */
  async #batchesOf(made: readonly Deletion[]): Promise<Map<ConversationKey, number[]>> {
    const firsts = new Map<ConversationKey, number[]>();
    let open = new Map<ConversationKey, number[]>();
    for (const { event, created } of made) addTo(open, event.place, created);
    for (const numbers of open.values()) numbers.sort((a, b) => a - b);
    for (const window of WINDOWS) {
      const near = await this.#firstsNear(open, window);
      const left: typeof open = new Map();
      for (const [place, numbers] of open) {
        const starts = near.get(place) ?? [];
        let at = -1;
        for (const number of numbers) {
          while ((starts[at + 1] ?? Number.POSITIVE_INFINITY) <= number) at += 1;
          const first = starts[at] ?? Number.NEGATIVE_INFINITY;
          // A number far above it may be in a batch that lies between the ranges.
          if (first < number - window) addTo(left, place, number);
          else addTo(firsts, place, first);
        }
      }
      open = left;
    }
    for (const [place, numbers] of open) {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
        const first = await this.#firstUpTo(place, number);
        if (first === null) break;
        addTo(firsts, place, first);
        while ((numbers.at(-1) ?? 0) >= first) numbers.pop();
      }
    }
    return firsts;
  }

  /**
   * The first numbers of the batches that begin at one of these numbers or at most `window` below,
   * in order.
   * @param numbers in order
   */
  async #firstsNear(
    numbers: ReadonlyMap<ConversationKey, readonly number[]>,
    window: number,
  ): Promise<Map<ConversationKey, number[]>> {
    const ranges: Filter<EventDocument>[] = [];
    for (const [place, list] of numbers) {
      for (const [from, to] of rangesOf(list, window)) ranges.push({ p: place, f: { $gte: from, $lte: to } });
    }
    const { db, session } = this.#parts;
    const options = { projection: { _id: 0, p: 1, f: 1 }, hint: PLACE_FIRST, session, batchSize: READ_AT_ONCE };
    const firsts = new Map<ConversationKey, number[]>();
    for (let i = 0; i < ranges.length; i += MAX_RANGES) {
      const some = ranges.slice(i, i + MAX_RANGES);
      const filter = some.length === 1 ? (some[0] ?? {}) : { $or: some };
      for (const { p, f } of await db.events.find(filter, options).toArray()) addTo(firsts, p, f);
    }
    for (const list of firsts.values()) list.sort((a, b) => a - b);
    return firsts;
  }

  /** The first number of the last batch that begins at this number or below. Null if none does. */
  async #firstUpTo(place: ConversationKey, number: number): Promise<number | null> {
    const { db, session } = this.#parts;
    const options = { sort: { f: -1 }, projection: { _id: 0, f: 1 }, hint: PLACE_FIRST, session } as const;
    return (await db.events.findOne({ p: place, f: { $lte: number } }, options))?.f ?? null;
  }
}

/** Splits items of places into those of rooms and those of channels. */
export function byCollection<T extends { readonly place: ConversationKey }>(items: readonly T[]): [T, ...T[]][] {
  const rooms: T[] = [];
  const channels: T[] = [];
  for (const item of items) (isChannel(item.place) ? channels : rooms).push(item);
  return [rooms, channels].filter((list): list is [T, ...T[]] => list.length > 0);
}

function keyOf({ place, id }: Change): string {
  return `${place}/${id}`;
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The ranges of `window` numbers below each number, joined where they touch. */
function rangesOf(numbers: readonly number[], window: number): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && number - window <= last[1] + 1) last[1] = number;
    else ranges.push([number - window, number]);
  }
  return ranges;
}
