import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  type Filter,
  MongoServerError,
  type ObjectId,
  type UpdateFilter,
} from 'mongodb';
import { holeBucket } from '../../domain/holes.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import {
  type CreatingEvent,
  isCreating,
  isStored,
  type SequencedEvent,
  withoutDeleted,
} from '../../domain/stored-event.ts';
import { byCollection, Changes } from './changes.ts';
import type { MongoDatabase } from './database.ts';
import {
  type EventDocument,
  idValue,
  type MessageDocument,
  messageDocument,
  readEvents,
  unknownKinds,
  unquoting,
} from './documents.ts';
import { DUPLICATE_KEY } from './error-codes.ts';
import { QUOTES, REPLIES, UNPROJECTED } from './indexes.ts';
import { transaction } from './transaction.ts';

/** The most documents that lose a quote in one update. */
const MAX_UPDATED_DOCUMENTS = 500;

/**
 * Another server has projected some of the batches in the meantime. The transaction changed
 * nothing.
 */
export class Overtaken extends Error {}

/**
 * A batch changes messages, and an earlier batch of its place is not projected. MongoDB may have
 * lost the projection of that one in a crash, after this server had seen it. The transaction
 * changed nothing.
 */
export class EarlierUnprojected extends Error {}

/** A batch, the events of it that are applied, and the kinds that stay due. */
interface Portion {
  readonly doc: EventDocument;
  readonly events: readonly SequencedEvent[];
  readonly left: readonly string[];
}

/**
 * Projects batches with the mark `proj: true` into the message collections, all of them or none.
 * Each batch is projected exactly once over all servers, because the same transaction removes its
 * mark.
 *
 * Batches of a place must be in order. If one of them changes existing messages, no earlier
 * unprojected batch of its place may be left out.
 *
 * An event of a kind that this version does not know is counted as a hole. Its batch gets the mark
 * `late`. Later batches of the place are projected nevertheless.
 * @throws Overtaken, EarlierUnprojected
 */
export async function project(db: MongoDatabase, docs: readonly EventDocument[]): Promise<void> {
  const portions = docs.map((doc): Portion => {
    // A legacy batch only writes numbers into messages of the original, whatever their kind.
    if (doc.legacy) return { doc, events: [], left: [] };
    return { doc, events: readEvents(doc), left: unknownKinds(doc) };
  });
  await inTransactionWithFallback(db, portions, false);
}

/**
 * Projects the events of a batch with the mark `late` whose kinds this version knows. Later events
 * of the place were applied before them.
 * @throws Overtaken
 */
export async function projectLate(db: MongoDatabase, doc: EventDocument): Promise<void> {
  const late = new Set(doc.late);
  const events = readEvents(doc).filter((event) => isStored(event) && late.has(event.kind));
  const unknown = new Set(unknownKinds(doc));
  const left = [...late].filter((kind) => unknown.has(kind));
  await inTransactionWithFallback(db, [{ doc, events, left }], true);
}

/**
 * Inserts all messages at once. If one of them exists already, it starts again with one insert for
 * each message.
 */
async function inTransactionWithFallback(
  db: MongoDatabase,
  portions: readonly Portion[],
  isLate: boolean,
): Promise<void> {
  await removeQuotes(db, portions);
  const published = portions.flatMap(({ doc: { _id }, left }) =>
    left.length === 0 && !isLate && db.marks.isPublished(_id) ? [_id] : [],
  );
  try {
    await inTransaction(db, portions, published, { isLate, isCareful: false });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    await inTransaction(db, portions, published, { isLate, isCareful: true });
  }
  db.marks.written(published);
}

/**
 * Removes the copies of deleted messages from the replies to them, in the log and in the message
 * collections. It runs before the transaction, in parts, because a message may have any number of
 * replies.
 *
 * No reply is missed. A reply is refused if its parent was deleted, so all replies to the messages
 * are stored by now, under smaller numbers than the deletions. They are projected by now too, or
 * they are among these batches.
 */
async function removeQuotes(db: MongoDatabase, portions: readonly Portion[]): Promise<void> {
  const deletions = portions.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'delete' ? [event] : [])),
  );
  for (const some of byCollection(deletions)) {
    const ids = some.map(({ id }) => id);
    const { update, arrayFilters } = unquoting(ids);
    const parentId = { $in: ids };
    const quotes = {
      'e.parentId': parentId,
      e: { $elemMatch: { parentId, parentContent: { $exists: true, $ne: '' } } },
    };
    await inParts(db, db.events, quotes, QUOTES, async (filter, session) => {
      await db.events.updateMany(filter, update, { arrayFilters, session });
    });
    const messages = db.messagesOf(some[0].place);
    const replies = { parentId: { $in: [...ids, ...ids.map(idValue)] }, parentContent: { $exists: true, $ne: '' } };
    await inParts(db, messages, replies, REPLIES, async (filter, session) => {
      await messages.updateMany(filter, { $set: { parentName: '', parentContent: '' } }, { session });
    });
  }
}

/** Finds the documents by the index and updates at most 500 of them in a transaction. */
async function inParts<T extends { readonly _id: unknown }>(
  db: MongoDatabase,
  collection: Collection<T>,
  filter: Filter<T>,
  index: string,
  update: (filter: Filter<T>, session: ClientSession) => Promise<void>,
): Promise<void> {
  const found = await collection.find(filter, { projection: { _id: 1 }, hint: index }).toArray();
  for (let i = 0; i < found.length; i += MAX_UPDATED_DOCUMENTS) {
    const ids = found.slice(i, i + MAX_UPDATED_DOCUMENTS).map(({ _id }) => _id);
    await transaction(db, (session) => update({ _id: { $in: ids } } as Filter<T>, session));
  }
}

interface Mode {
  /**
   * True for events that were left because their kinds were not known. Their numbers already count
   * as holes.
   */
  readonly isLate: boolean;
  /** True: a message that exists already stays as it is. False: it makes the transaction fail. */
  readonly isCareful: boolean;
}

function inTransaction(
  db: MongoDatabase,
  portions: readonly Portion[],
  published: readonly ObjectId[],
  mode: Mode,
): Promise<void> {
  return transaction(db, async (session) => {
    await claim(db, portions, published, session);
    if (!mode.isLate) await refuseBeforeEarlier(db, portions, session);
    const run = new Run(db, session, mode, adoptedIn(portions));
    const legacy = portions.flatMap(({ doc }) => (doc.legacy ? [doc] : []));
    if (legacy.length > 0) await run.number(legacy);
    const events = withoutDeleted(portions.flatMap((portion) => portion.events));
    await run.create(events.filter((event) => isStored(event) && isCreating(event)));
    await run.change(events);
    await run.countHoles();
  });
}

/** Removes the marks, so that no other server projects the batches. */
async function claim(
  db: MongoDatabase,
  portions: readonly Portion[],
  published: readonly ObjectId[],
  session: ClientSession,
): Promise<void> {
  const publishedIds = new Set(published.map((id) => id.toHexString()));
  const rest: ObjectId[] = [];
  let claimed = 0;
  for (const { doc, left } of portions) {
    if (left.length === 0 && doc.proj === true) {
      if (!publishedIds.has(doc._id.toHexString())) rest.push(doc._id);
      continue;
    }
    const mark = doc.proj === 'late' ? { proj: 'late' as const, late: doc.late ?? [] } : { proj: true as const };
    const update: UpdateFilter<EventDocument> =
      left.length > 0 ? { $set: { proj: 'late', late: left } } : { $unset: { proj: '', late: '' } };
    claimed += (await db.events.updateOne({ _id: doc._id, ...mark }, update, { session })).modifiedCount;
  }
  for (const [ids, update] of [
    [published, { $unset: { proj: '', out: '' } }],
    [rest, { $unset: { proj: '' } }],
  ] as const) {
    if (ids.length === 0) continue;
    const { modifiedCount } = await db.events.updateMany({ _id: { $in: [...ids] }, proj: true }, update, { session });
    claimed += modifiedCount;
  }
  if (claimed !== portions.length) throw new Overtaken('another server has projected the batch');
}

/**
 * Refuses batches that change messages while an earlier batch of their place is unprojected. The
 * transaction has to look itself: MongoDB cannot lose what a transaction read and keep what it
 * wrote.
 * @throws EarlierUnprojected
 */
async function refuseBeforeEarlier(
  db: MongoDatabase,
  portions: readonly Portion[],
  session: ClientSession,
): Promise<void> {
  const last = new Map<ConversationKey, number>();
  for (const { doc, events } of portions) {
    const hasChanges = events.some((event) => isStored(event) && !isCreating(event));
    if (hasChanges) last.set(doc.p, Math.max(doc.f, last.get(doc.p) ?? 0));
  }
  if (last.size === 0) return;
  const earlier = Array.from(last, ([p, f]) => ({ p, f: { $lt: f }, proj: true as const }));
  const options = { projection: { _id: 0, p: 1, f: 1 }, hint: UNPROJECTED, session };
  const found = await db.events.findOne({ $or: earlier }, options);
  if (found !== null) throw new EarlierUnprojected(`${found.p}: the batch at ${found.f} is not projected`);
}

/** The writes of one transaction to the message collections and the holes. */
class Run {
  readonly #db: MongoDatabase;
  readonly #session: ClientSession;
  readonly #mode: Mode;
  readonly #adopted: ReadonlySet<MessageId>;
  readonly #holes = new Map<ConversationKey, Map<number, number>>();
  readonly #latest = new Map<ConversationKey, number>();

  /** @param adopted ids in batches of an original server's changes: the documents may be gone */
  constructor(db: MongoDatabase, session: ClientSession, mode: Mode, adopted: ReadonlySet<MessageId>) {
    this.#adopted = adopted;
    this.#db = db;
    this.#session = session;
    this.#mode = mode;
  }

  /** Inserts the messages of all creating events at once. */
  async create(events: readonly CreatingEvent[]): Promise<void> {
    for (const some of byCollection(events)) {
      const messages = this.#db.messagesOf(some[0].place);
      if (!this.#mode.isCareful) {
        await messages.insertMany(
          some.map((event) => messageDocument(event, this.#db.fileLink)),
          { ordered: false, session: this.#session },
        );
        if (this.#mode.isLate) for (const { place, seq } of some) this.#hole(place, seq, seq, -1);
        continue;
      }
      for (const event of some) {
        const { _id, ...fields } = messageDocument(event, this.#db.fileLink);
        const update = { $setOnInsert: fields };
        const options = { upsert: true, session: this.#session };
        const isNew = (await messages.updateOne({ _id }, update, options)).upsertedCount > 0;
        if (isNew === this.#mode.isLate) this.#hole(event.place, event.seq, event.seq, isNew ? -1 : 1);
      }
    }
  }

  /** Applies the events to existing messages, all at once. */
  async change(events: readonly SequencedEvent[]): Promise<void> {
    const changes = new Changes({ db: this.#db, session: this.#session, adopted: this.#adopted });
    for (const event of events) {
      const { place, seq } = event;
      if (!this.#mode.isLate && !(isStored(event) && isCreating(event))) this.#hole(place, seq, seq, 1);
      switch (event.kind) {
        case 'message':
        case 'reply':
        case 'file':
        case 'unknown':
          break;
        case 'modify':
          changes.edit(event);
          break;
        case 'delete':
          changes.delete(event);
          break;
      }
    }
    for (const { event, created } of await changes.apply()) this.#hole(event.place, created, event.seq, 1);
  }

  /** Writes the numbers of `legacy` batches into the messages that an original server stored. */
  async number(docs: readonly EventDocument[]): Promise<void> {
    for (const some of byCollection(docs.map(({ p, f, e }) => ({ place: p, f, e })))) {
      const updates = some.flatMap(({ f, e }) =>
        e.map(
          ({ id }, i): AnyBulkWriteOperation<MessageDocument> => ({
            updateOne: { filter: { _id: idValue(String(id)) }, update: { $set: { seq: f + i } } },
          }),
        ),
      );
      await this.#db.messagesOf(some[0].place).bulkWrite(updates, { ordered: false, session: this.#session });
    }
  }

  async countHoles(): Promise<void> {
    const updates = [...this.#holes].map(([place, buckets]) => {
      const $inc: Record<string, number> = { t: 0 };
      for (const [bucket, count] of buckets) {
        $inc[`n.${bucket}`] = count;
        $inc.t = ($inc.t ?? 0) + count;
      }
      const $max = { s: this.#latest.get(place) ?? 0 };
      return { updateOne: { filter: { _id: place }, update: { $inc, $max }, upsert: true } };
    });
    if (updates.length > 0) await this.#db.holes.bulkWrite(updates, { ordered: false, session: this.#session });
  }

  /** Adds `count` to the number of holes in the bucket of `seq`. Event `by` is the cause. */
  #hole(place: ConversationKey, seq: number, by: number, count: 1 | -1): void {
    this.#latest.set(place, Math.max(by, this.#latest.get(place) ?? 0));
    const buckets = this.#holes.get(place) ?? new Map<number, number>();
    const bucket = holeBucket(seq);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
    this.#holes.set(place, buckets);
  }
}

function adoptedIn(portions: readonly Portion[]): Set<MessageId> {
  return new Set(
    portions.flatMap(({ doc, events }) =>
      doc.a === undefined ? [] : events.flatMap((event) => (isStored(event) ? [event.id] : [])),
    ),
  );
}
