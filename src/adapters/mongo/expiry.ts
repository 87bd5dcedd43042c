import type { ClientSession } from 'mongodb';
import type { ExpiredPart } from '../../application/ports/stored-data.ts';
import { isFileUrl } from '../../domain/file.ts';
import { holeBucket } from '../../domain/holes.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import {
  channelIdOf,
  type EventDocument,
  idValue,
  type MessageDocument,
  REMOVED_KIND,
  UNNUMBERED,
  unquoting,
} from './documents.ts';
import { CHANNEL_SEQ, EDITS, PLACE_FIRST, QUOTES, REPLIES } from './indexes.ts';
import { transaction } from './transaction.ts';

type Batch = Pick<EventDocument, '_id' | 'f' | 'l' | 'e' | 'at' | 'removed'>;

/**
 * Removes the start of a place as far as it is too old. Only whole batches are removed: their
 * events were stored within milliseconds. The last batch of a place stays without its events,
 * because it holds the newest number.
 */
export class Expiry {
  readonly #db: MongoDatabase;

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  /** All batches of the place must be projected. */
  async expired(place: ConversationKey, after: number, before: number, limit: number): Promise<ExpiredPart> {
    const batches = await this.#batches(place, after, limit);
    const messages = await this.#messages(place, after, limit);
    const unnumbered = after === 0 ? await this.#unnumbered(place, before) : 0;
    // Behind the last number that was read, nothing is known.
    let bound = Number.POSITIVE_INFINITY;
    if (batches.length === limit) bound = Math.min(bound, (batches.at(-1)?.l ?? 0) + 1);
    if (messages.length === limit) bound = Math.min(bound, (messages.at(-1)?.seq ?? 0) + 1);
    const firstKept = batches.find((batch) => !isExpired(batch, before));
    if (firstKept !== undefined) bound = Math.min(bound, firstKept.f);
    for (const { seq = 0, localDateTime } of messages) {
      if (localDateTime !== undefined && localDateTime.getTime() >= before) bound = Math.min(bound, seq);
    }
    const old = batches.filter(({ l }) => l < bound);
    // A message whose batch is not removed yet stays with it.
    const partly = batches.find(({ l }) => l >= bound);
    if (partly !== undefined) bound = Math.min(bound, partly.f);
    const gone = messages.filter(({ seq = 0 }) => seq < bound);
    const filled = old.filter(({ removed }) => removed !== true);
    if (filled.length + gone.length === 0) return { upTo: 0, events: 0, messages: unnumbered, files: [] };
    return {
      upTo: Math.max(old.at(-1)?.l ?? 0, gone.at(-1)?.seq ?? 0),
      events: filled.reduce((sum, { e }) => sum + e.length, 0),
      messages: gone.length + unnumbered,
      files: gone.flatMap(fileKeys),
    };
  }

  async remove(place: ConversationKey, { upTo }: ExpiredPart, before: number): Promise<void> {
    const messages = this.#db.messagesOf(place);
    const channelId = channelIdOf(place);
    const old = await messages
      .find({ channelId, seq: { $gt: 0, $lte: upTo } }, { projection: { seq: 1 }, hint: CHANNEL_SEQ })
      .toArray();
    const ids = old.map(({ _id }) => String(_id));
    await this.#unquote(place, ids);
    await transaction(this.#db, async (session) => {
      const removed: number[] = [];
      for (const { _id, seq } of old) {
        const { deletedCount } = await messages.deleteOne({ _id, channelId }, { session });
        if (deletedCount > 0 && seq !== undefined) removed.push(seq);
      }
      await this.#removeEdits(place, ids, upTo, session);
      await this.#removeBatches(place, upTo, session);
      await this.#countHoles(place, removed, upTo, session);
      await messages.deleteMany(
        { channelId, seq: UNNUMBERED, localDateTime: { $lt: new Date(before) } },
        { session, hint: CHANNEL_SEQ },
      );
    });
  }

  #batches(place: ConversationKey, after: number, limit: number): Promise<Batch[]> {
    const projection = { f: 1, l: 1, e: 1, at: 1, removed: 1 };
    return this.#db.events
      .find({ p: place, f: { $gt: after } }, { projection, hint: PLACE_FIRST })
      .sort({ f: 1 })
      .limit(limit)
      .toArray();
  }

  #messages(place: ConversationKey, after: number, limit: number): Promise<MessageDocument[]> {
    return this.#db.find<MessageDocument>(this.#db.messagesOf(place), limit, {
      filter: { channelId: channelIdOf(place), seq: { $gt: after } },
      sort: { seq: 1, localDateTime: 1, _id: 1 },
      projection: { seq: 1, localDateTime: 1, type: 1, content: 1, thumbnail: 1, file: 1, thumbnailFile: 1 },
      hint: CHANNEL_SEQ,
    });
  }

  #unnumbered(place: ConversationKey, before: number): Promise<number> {
    const filter = { channelId: channelIdOf(place), seq: UNNUMBERED, localDateTime: { $lt: new Date(before) } };
    return this.#db.messagesOf(place).countDocuments(filter, { hint: CHANNEL_SEQ });
  }

  /** Removes the copies of the messages' texts from the replies to them. Can be repeated. */
  async #unquote(place: ConversationKey, ids: readonly MessageId[]): Promise<void> {
    if (ids.length === 0) return;
    const { update, arrayFilters } = unquoting(ids);
    const { events } = this.#db;
    await events.updateMany({ p: place, 'e.parentId': { $in: [...ids] } }, update, { arrayFilters, hint: QUOTES });
    const parentId = { $in: [...ids, ...ids.map(idValue)] };
    const empty = { $set: { parentName: '', parentContent: '' } };
    await this.#db.messagesOf(place).updateMany({ parentId }, empty, { hint: REPLIES });
  }

  /** Edits of the messages that stand in later batches become removed events. */
  async #removeEdits(
    place: ConversationKey,
    ids: readonly MessageId[],
    upTo: number,
    session: ClientSession,
  ): Promise<void> {
    if (ids.length === 0) return;
    const filter = { m: { $in: [...ids] }, p: place, f: { $gt: upTo } };
    await this.#db.events.updateMany(
      filter,
      { $set: { 'e.$[edit]': { kind: REMOVED_KIND } } },
      { arrayFilters: [{ 'edit.id': { $in: [...ids] } }], hint: EDITS, session },
    );
  }

  async #removeBatches(place: ConversationKey, upTo: number, session: ClientSession): Promise<void> {
    const { events } = this.#db;
    const last = await events.findOne({ p: place }, { sort: { f: -1 }, projection: { l: 1 }, session });
    if (last !== null && last.l <= upTo) {
      await events.updateOne(
        { _id: last._id },
        { $set: { removed: true, e: [] }, $unset: { n: '', m: '', out: '', proj: '', late: '', legacy: '' } },
        { session },
      );
    }
    const others = last === null ? {} : { _id: { $ne: last._id } };
    await events.deleteMany({ p: place, f: { $lte: upTo }, l: { $lte: upTo }, ...others }, { session });
  }

  async #countHoles(
    place: ConversationKey,
    removed: readonly number[],
    upTo: number,
    session: ClientSession,
  ): Promise<void> {
    const $inc: Record<string, number> = { t: removed.length };
    for (const seq of removed) {
      const field = `n.${holeBucket(seq)}`;
      $inc[field] = ($inc[field] ?? 0) + 1;
    }
    await this.#db.holes.updateOne({ _id: place }, { $inc, $max: { s: upTo } }, { upsert: true, session });
  }
}

function isExpired({ e, at, removed }: Batch, before: number): boolean {
  if (removed === true) return at.getTime() < before;
  // An event of an unknown kind without a time is as old as its batch.
  return e.every(({ time }) => Number(time ?? at.getTime()) < before);
}

function fileKeys({ type, content, thumbnail, file, thumbnailFile }: MessageDocument): string[] {
  if (type === undefined || type === null || type === 'reply') return [];
  return [file ?? content, thumbnailFile ?? thumbnail].flatMap((key) =>
    key === undefined || key === null || key === '' || isFileUrl(key) ? [] : [key],
  );
}
