import type { HistoryPage } from '../../application/ports/message-store.ts';
import { type HistoryRange, withParents } from '../../domain/history.ts';
import { firstOfBucket, holeBucket, isShortSkip, seekMessage } from '../../domain/holes.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf, type HoleDocument, idValue, type MessageDocument, readMessage } from './documents.ts';
import { CHANNEL_SEQ } from './indexes.ts';

/** Reads messages in their current state. The caller must have projected the place before. */
export class Pages {
  readonly #db: MongoDatabase;

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  /** @param newest newest number of the place. All batches up to it must be projected. */
  async history(place: ConversationKey, range: HistoryRange, newest: number): Promise<HistoryPage> {
    const messages = await this.#inRange(place, range, newest);
    const ids = messages.flatMap(({ parentId }) => (parentId === null ? [] : [parentId]));
    const here = new Map(messages.map((message) => [message.id, message]));
    const parents = await this.messages(
      place,
      ids.filter((id) => !here.has(id)),
    );
    return { entries: withParents(messages, new Map([...here, ...parents])), seq: newest };
  }

  async messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>> {
    if (ids.length === 0) return new Map();
    const docs = await this.#db.find<MessageDocument>(this.#db.messagesOf(place), ids.length, {
      filter: { _id: { $in: ids.map(idValue) }, channelId: channelIdOf(place) },
    });
    return new Map(docs.map((doc) => [String(doc._id), readMessage(place, doc)]));
  }

  async #inRange(place: ConversationKey, range: HistoryRange, newest: number): Promise<Message[]> {
    switch (range.kind) {
      case 'before':
        return (await this.#read(place, { $lte: Math.min(range.seq - 1, newest) }, -1, range.size)).reverse();
      case 'after':
        return this.#read(place, { $gt: range.seq, $lte: newest }, 1, range.size);
      case 'page': {
        // Messages without a number, which an original server stored later, sort as the oldest.
        const skipped = range.page * range.size;
        const { upTo, skip } = isShortSkip(skipped)
          ? { upTo: newest, skip: skipped }
          : await this.#seek(place, newest, skipped);
        return (await this.#read(place, { $not: { $gt: upTo } }, -1, range.size, skip)).reverse();
      }
    }
  }

  async #read(place: ConversationKey, seq: object, direction: 1 | -1, limit: number, skip = 0): Promise<Message[]> {
    const docs = await this.#db.find<MessageDocument>(this.#db.messagesOf(place), limit, {
      filter: { channelId: channelIdOf(place), seq },
      sort: { seq: direction, localDateTime: direction, _id: direction },
      skip,
      hint: CHANNEL_SEQ,
    });
    return docs.map((doc) => readMessage(place, doc));
  }

  async #seek(place: ConversationKey, newest: number, skip: number): Promise<{ upTo: number; skip: number }> {
    let left = skip;
    let upTo = newest;
    // The holes are read after `newest`, so they include every hole up to it.
    const [holes] = await this.#db.find<HoleDocument>(this.#db.holes, 1, { filter: { _id: place } });
    if (holes !== undefined && holes.s > newest) {
      // Some holes were made after `newest` was read, and may lie in its bucket. So the messages of
      // that bucket are counted one by one.
      upTo = firstOfBucket(holeBucket(newest)) - 1;
      const top = { channelId: channelIdOf(place), seq: { $gt: upTo, $lte: newest } };
      left -= await this.#db.messagesOf(place).countDocuments(top, { hint: CHANNEL_SEQ });
      if (left < 0) return { upTo: newest, skip };
    }
    return seekMessage(upTo, left, (bucket) => holes?.n[bucket] ?? 0);
  }
}
