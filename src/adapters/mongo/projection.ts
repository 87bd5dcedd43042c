import { type AnyBulkWriteOperation, type ClientSession, MongoServerError, type ObjectId } from 'mongodb';
import { holeBucket } from '../../domain/holes.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { isCreating, type MessageDeleted, type MessageModified, type StoredEvent } from '../../domain/stored-event.ts';
import type { MongoDatabase } from './database.ts';
import {
  channelIdOf,
  type EventDocument,
  idValue,
  type MessageDocument,
  messageDocument,
  readEvents,
} from './documents.ts';

const DUPLICATE = 11000;
/** So long another server's transaction may keep ours waiting before we look whether that server lives. */
const PATIENCE_MS = 300;

/** Some of the batches were applied by another server meanwhile; nothing was changed. */
export class Overtaken extends Error {}

/**
 * Brings batches into the message collections: all of them or none, each exactly once over all servers, because the same transaction takes
 * their `proj` away. Batches of one place must come in order, and with changes none of the place may be left out before them.
 * @throws Overtaken
 */
export async function project(db: MongoDatabase, docs: readonly EventDocument[]): Promise<void> {
  const published = docs.flatMap(({ _id }) => (db.marks.isPublished(_id) ? [_id] : []));
  try {
    await inTransaction(db, docs, published, false);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE) throw error;
    await inTransaction(db, docs, published, true);
  }
  db.marks.written(published);
}

function inTransaction(
  db: MongoDatabase,
  docs: readonly EventDocument[],
  published: readonly ObjectId[],
  careful: boolean,
): Promise<void> {
  const began = performance.now();
  return db.client.withSession((session) =>
    session.withTransaction(async () => {
      // Tried again and again: something holds what we need.
      if (performance.now() - began > PATIENCE_MS) await db.abandoned.end();
      await claim(db, docs, published, session);
      const run = new Run(db, session, careful);
      const legacy = docs.filter((doc) => doc.legacy);
      if (legacy.length > 0) await run.number(legacy.flatMap(readEvents));
      const events = docs.filter((doc) => !doc.legacy).flatMap(readEvents);
      await run.create(events);
      for (const event of events) {
        if (event.kind === 'modify') await run.modify(event);
        if (event.kind === 'delete') await run.remove(event);
      }
      await run.countHoles();
    }),
  );
}

async function claim(
  db: MongoDatabase,
  docs: readonly EventDocument[],
  published: readonly ObjectId[],
  session: ClientSession,
): Promise<void> {
  const both = new Set(published.map((id) => id.toHexString()));
  const rest = docs.flatMap(({ _id }) => (both.has(_id.toHexString()) ? [] : [_id]));
  let claimed = 0;
  for (const [ids, update] of [
    [published, { $unset: { proj: '', out: '' } }],
    [rest, { $unset: { proj: '' } }],
  ] as const) {
    if (ids.length === 0) continue;
    const { modifiedCount } = await db.events.updateMany({ _id: { $in: [...ids] }, proj: true }, update, { session });
    claimed += modifiedCount;
  }
  if (claimed !== docs.length) throw new Overtaken('another server was faster');
}

/** One transaction's work. */
class Run {
  readonly #db: MongoDatabase;
  readonly #session: ClientSession;
  /** A message with the same id is there already: leave it instead of failing. */
  readonly #careful: boolean;
  readonly #holes = new Map<ConversationKey, Map<number, number>>();
  readonly #latest = new Map<ConversationKey, number>();

  constructor(db: MongoDatabase, session: ClientSession, careful: boolean) {
    this.#db = db;
    this.#session = session;
    this.#careful = careful;
  }

  async create(events: readonly StoredEvent[]): Promise<void> {
    const creating = events.filter(isCreating);
    for (const event of events) if (!isCreating(event)) this.#hole(event.place, event.seq);
    for (const of of byCollection(creating)) {
      const messages = this.#db.messagesOf(of[0].place);
      if (!this.#careful) {
        await messages.insertMany(of.map(messageDocument), { ordered: false, session: this.#session });
        continue;
      }
      for (const event of of) {
        const { _id, ...fields } = messageDocument(event);
        const update = { $setOnInsert: fields };
        const options = { upsert: true, session: this.#session };
        const { upsertedCount } = await messages.updateOne({ _id }, update, options);
        if (upsertedCount === 0) this.#hole(event.place, event.seq);
      }
    }
  }

  async modify({ place, id, content }: MessageModified): Promise<void> {
    const filter = { _id: idValue(id), channelId: channelIdOf(place) };
    const update = { $set: { content, edited: true } };
    await this.#db.messagesOf(place).updateOne(filter, update, { session: this.#session });
  }

  async remove({ place, id, seq }: MessageDeleted): Promise<void> {
    const filter = { _id: idValue(id), channelId: channelIdOf(place) };
    const options = { projection: { seq: 1 }, session: this.#session };
    const gone = await this.#db.messagesOf(place).findOneAndDelete(filter, options);
    const created = gone?.seq ?? 0;
    if (created > 0) this.#hole(place, created, seq);
    await this.#blank(place, id, created);
  }

  async number(events: readonly StoredEvent[]): Promise<void> {
    for (const of of byCollection(events)) {
      const updates: AnyBulkWriteOperation<MessageDocument>[] = of.map((event) => ({
        updateOne: { filter: { _id: idValue(event.id) }, update: { $set: { seq: event.seq } } },
      }));
      await this.#db.messagesOf(of[0].place).bulkWrite(updates, { ordered: false, session: this.#session });
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

  /** What was deleted must not stay readable in the log. */
  async #blank(place: ConversationKey, id: string, created: number): Promise<void> {
    const session = this.#session;
    const events = this.#db.events;
    const batch = await events.findOne(
      { p: place, f: { $lte: created } },
      { sort: { f: -1 }, projection: { _id: 1 }, session },
    );
    const edits = await events.find({ m: id }, { projection: { _id: 1 }, session }).toArray();
    const ids = [...(batch === null ? [] : [batch._id]), ...edits.map(({ _id }) => _id)];
    if (ids.length === 0) return;
    await events.updateMany(
      { _id: { $in: ids }, p: place },
      { $set: { 'e.$[of].content': '' }, $unset: { 'e.$[of].thumbnail': '' } },
      { arrayFilters: [{ 'of.id': id, 'of.kind': { $ne: 'delete' } }], session },
    );
  }

  /** Number `seq` is no message (any more) since event `by`. */
  #hole(place: ConversationKey, seq: number, by = seq): void {
    this.#latest.set(place, Math.max(by, this.#latest.get(place) ?? 0));
    const buckets = this.#holes.get(place) ?? new Map<number, number>();
    const bucket = holeBucket(seq);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    this.#holes.set(place, buckets);
  }
}

function byCollection<E extends StoredEvent>(events: readonly E[]): [E, ...E[]][] {
  const rooms: E[] = [];
  const channels: E[] = [];
  for (const event of events) (event.place.startsWith('c') ? channels : rooms).push(event);
  return [rooms, channels].filter((list): list is [E, ...E[]] => list.length > 0);
}
