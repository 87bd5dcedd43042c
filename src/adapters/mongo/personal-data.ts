import { Long } from 'mongodb';
import type { ReadPosition } from '../../application/ports/read-markers.ts';
import { DELETED_USER_ID, DELETED_USER_NAME } from '../../domain/anonymous.ts';
import { Refusal } from '../../domain/errors.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { isStored, type StoredEvent } from '../../domain/stored-event.ts';
import type { MongoDatabase } from './database.ts';
import {
  channelIdOf,
  type EventBody,
  type EventDocument,
  idValue,
  type MessageDocument,
  nonceKey,
  positionId,
  readEvents,
  readMessage,
} from './documents.ts';
import { CHANNEL_USER, PLACE_FIRST, QUOTES, REPLIES } from './indexes.ts';

/** A batch may change while it is rewritten. Then it is read again, at most so often. */
const MAX_REWRITES = 20;

type Batch = Pick<EventDocument, '_id' | 'p' | 'f' | 'l' | 'e' | 'n'>;

/** Lists and removes one person in a place. All batches of the place must be projected. */
export class PersonalData {
  readonly #db: MongoDatabase;

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  async messagesOf(
    userId: UserId,
    place: ConversationKey,
    after: MessageId | null,
    limit: number,
  ): Promise<readonly Message[]> {
    const docs = await this.#db.find<MessageDocument>(this.#db.messagesOf(place), limit, {
      filter: {
        channelId: channelIdOf(place),
        userId: Long.fromNumber(userId),
        ...(after !== null && { _id: { $gt: idValue(after) } }),
      },
      sort: { _id: 1 },
      hint: CHANNEL_USER,
    });
    return docs.map((doc) => readMessage(place, doc));
  }

  async eventsOf(userId: UserId, place: ConversationKey, from: number, to: number): Promise<readonly StoredEvent[]> {
    const batches = await this.#batches(userId, place, from, to);
    return batches
      .flatMap(readEvents)
      .filter(isStored)
      .filter((event) => event.userId === userId && event.seq >= from && event.seq <= to);
  }

  async anonymiseEvents(userId: UserId, place: ConversationKey, from: number, to: number): Promise<void> {
    const key = nonceKey(userId, '');
    await this.#rewrite(
      () => this.#batches(userId, place, from, to),
      (body) => (Number(body.userId) === userId ? anonymous(body) : body),
      (nonce) => !nonce.startsWith(key),
    );
  }

  async anonymiseMessages(userId: UserId, place: ConversationKey, ids: readonly MessageId[]): Promise<void> {
    const messages = this.#db.messagesOf(place);
    const filter = {
      _id: { $in: ids.map(idValue) },
      channelId: channelIdOf(place),
      userId: Long.fromNumber(userId),
    };
    const own = (await messages.find(filter, { projection: { _id: 1 } }).toArray()).map(({ _id }) => String(_id));
    if (own.length === 0) return;
    const isOwn = new Set(own);
    // The replies first: after a crash, the messages are found again by their user.
    await this.#rewrite(
      () =>
        this.#db.events
          .find(
            {
              'e.parentId': { $in: own },
              p: place,
              e: { $elemMatch: { parentId: { $in: own }, parentName: { $nin: ['', DELETED_USER_NAME] } } },
            },
            { hint: QUOTES },
          )
          .toArray(),
      (body) =>
        isOwn.has(String(body.parentId)) && typeof body.parentName === 'string' && body.parentName !== ''
          ? { ...body, parentName: DELETED_USER_NAME }
          : body,
      () => true,
    );
    const parentId = { $in: [...own, ...own.map(idValue)] };
    const named = { parentId, parentName: { $exists: true, $ne: '' } };
    await messages.updateMany(named, { $set: { parentName: DELETED_USER_NAME } }, { hint: REPLIES });
    await messages.updateMany(filter, {
      $set: { userId: Long.fromNumber(DELETED_USER_ID), name: DELETED_USER_NAME },
      $unset: { profileImage: '', nonce: '' },
    });
  }

  async readingOf(userId: UserId, place: ConversationKey): Promise<ReadPosition | null> {
    const position = await this.#db.positions.findOne({ _id: positionId(place, userId) });
    if (position !== null) return { place, seq: position.seq };
    const field = `read.${userId}`;
    const time = await this.#db.markers.findOne({ channelId: place, [field]: { $exists: true } });
    return time === null ? null : { place, seq: 0 };
  }

  async forgetReader(userId: UserId, place: ConversationKey): Promise<void> {
    await this.#db.positions.deleteOne({ _id: positionId(place, userId) });
    await this.#db.markers.updateOne({ channelId: place }, { $unset: { [`read.${userId}`]: '' } });
  }

  /** Batches with events of the user that overlap the numbers, in order. */
  async #batches(userId: UserId, place: ConversationKey, from: number, to: number): Promise<Batch[]> {
    const { events } = this.#db;
    const hint = PLACE_FIRST;
    const containing = await events.findOne(
      { p: place, f: { $lte: from } },
      { sort: { f: -1 }, projection: { f: 1 }, hint },
    );
    const first = containing?.f ?? from;
    return events
      .find({ p: place, f: { $gte: first, $lte: to }, 'e.userId': userId }, { hint })
      .sort({ f: 1 })
      .toArray();
  }

  /** Rewrites events of batches. A batch that changed meanwhile is read and rewritten again. */
  async #rewrite(
    read: () => Promise<Batch[]>,
    change: (body: EventBody) => EventBody,
    isKept: (nonce: string) => boolean,
  ): Promise<void> {
    for (let attempt = 0; attempt < MAX_REWRITES; attempt += 1) {
      const batches = await read();
      if (batches.length === 0) return;
      const updates = batches.map(({ _id, e, n }) => {
        const nonces = n?.filter(isKept) ?? [];
        const update = nonces.length > 0 ? { $set: { e: e.map(change), n: nonces } } : unsetNonces(e.map(change));
        return { updateOne: { filter: { _id, e: [...e] }, update } };
      });
      const { matchedCount } = await this.#db.events.bulkWrite(updates, { ordered: false });
      if (matchedCount === batches.length) return;
    }
    throw new Refusal('try-again', 'events changed while they were rewritten');
  }
}

/** An empty list of nonces must not stay: the unique index would allow only one. */
function unsetNonces(e: readonly EventBody[]) {
  return { $set: { e }, $unset: { n: '' as const } };
}

function anonymous(body: EventBody): EventBody {
  const { nonce: _, profileImage: __, ...rest } = body;
  return { ...rest, userId: DELETED_USER_ID, ...('name' in body && { name: DELETED_USER_NAME }) };
}
