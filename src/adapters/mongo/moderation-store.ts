import { type Collection, MongoServerError } from 'mongodb';
import type { ModerationStore, StoredOrder } from '../../application/ports/moderation-store.ts';
import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { endOf, type ModerationOrder, subjectOf, tellsOf, withoutPerson } from '../../domain/moderation.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { readOrder, writeOrder } from '../support/moderation-order.ts';
import { answered, type MongoDatabase } from './database.ts';
import type { OrderDocument, TurnDocument } from './documents.ts';
import { DUPLICATE_KEY } from './error-codes.ts';

/** An order is kept for this long after its end. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** Attempts to get a number, while other servers take the numbers before. */
const MAX_ATTEMPTS = 50;

/**
 * Orders in the collection `moderation`. The unique id gives each number to one order. Turns are in
 * `slowTurn`. Times come from the clock of MongoDB, which all servers share.
 */
export class MongoModerationStore implements ModerationStore {
  readonly #orders: Collection<OrderDocument>;
  readonly #turns: Collection<TurnDocument>;
  readonly #now: () => number;

  constructor({ db, now }: { readonly db: MongoDatabase; readonly now?: (() => number) | undefined }) {
    this.#orders = db.orders;
    this.#turns = db.turns;
    this.#now = now ?? (() => db.clock.now());
  }

  append(order: ModerationOrder, admin: string): Promise<number> {
    return answered(this.#append(order, admin));
  }

  async ordersAfter(after: number, limit: number): Promise<StoredOrder[]> {
    const found = this.#orders.find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit });
    const docs = await answered(found.toArray());
    return docs.map(({ _id: seq, order, admin, at }) => ({ seq, order: readOrder(order), admin, at: at.getTime() }));
  }

  takeTurn(place: ConversationKey, userId: UserId, intervalMs: number): Promise<number> {
    return answered(this.#takeTurn(`${place}/${userId}`, intervalMs));
  }

  entriesOf(userId: UserId): Promise<number> {
    return answered(this.#entriesOf(userId));
  }

  forgetUser(userId: UserId): Promise<number> {
    return answered(this.#forgetUser(userId));
  }

  async #append(order: ModerationOrder, admin: string): Promise<number> {
    const now = this.#now();
    const ends = endOf(order, now);
    const fields = {
      subject: subjectOf(order),
      ends: ends === null ? null : new Date(ends),
      admin,
      at: new Date(now),
      order: writeOrder(order),
    };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const newest = await this.#orders.findOne({}, { sort: { _id: -1 }, projection: { _id: 1 } });
      const seq = (newest?._id ?? 0) + 1;
      try {
        await this.#orders.insertOne({ _id: seq, ...fields });
      } catch (error) {
        if (isDuplicate(error)) continue;
        throw error;
      }
      await this.#orders.deleteMany({
        _id: { $lt: seq },
        $or: [{ subject: fields.subject }, { ends: { $lt: new Date(now - KEPT_MS) } }],
      });
      return seq;
    }
    throw new Refusal('try-again', 'too many orders are given at the same time');
  }

  async #entriesOf(userId: UserId): Promise<number> {
    return (await this.#turns.countDocuments(turnsOf(userId))) + (await this.#ordersOf(userId)).length;
  }

  /** The orders that an erasure of the user changes. */
  async #ordersOf(userId: UserId): Promise<{ _id: number; at: Date; order: ModerationOrder }[]> {
    const subject = { $in: [`ban/${userId}`, `disconnect/${userId}`, new RegExp(`^mute/${userId}/`)] };
    const found = await this.#orders.find({ subject }).toArray();
    return found.flatMap(({ _id, at, order: stored }) => {
      const order = readOrder(stored);
      return order !== null && tellsOf(userId, order) ? [{ _id, at, order }] : [];
    });
  }

  async #forgetUser(userId: UserId): Promise<number> {
    const { deletedCount } = await this.#turns.deleteMany(turnsOf(userId));
    let changed = deletedCount;
    for (const { _id, at, order } of await this.#ordersOf(userId)) {
      const without = withoutPerson(order);
      const ends = endOf(without, at.getTime());
      await this.#orders.updateOne(
        { _id, subject: subjectOf(order) },
        {
          $set: {
            subject: subjectOf(without),
            ends: ends === null ? null : new Date(ends),
            order: writeOrder(without),
          },
        },
      );
      changed += 1;
    }
    return changed;
  }

  async #takeTurn(id: string, intervalMs: number): Promise<number> {
    const now = this.#now();
    // A turn in the future is one from before the clock was set back.
    const isFree = { $or: [{ at: { $lte: new Date(now - intervalMs) } }, { at: { $gt: new Date(now) } }] };
    try {
      await this.#turns.updateOne({ _id: id, ...isFree }, { $set: { at: new Date(now) } }, { upsert: true });
      return 0;
    } catch (error) {
      // The document exists and is not free, or another call has just inserted it.
      if (!isDuplicate(error)) throw error;
    }
    const last = await this.#turns.findOne({ _id: id });
    return Math.max(1, (last?.at.getTime() ?? now) + intervalMs - now);
  }
}

/** Turns end after six hours, so there are few of them to look through. */
function turnsOf(userId: UserId): { _id: { $regex: string } } {
  return { _id: { $regex: `/${userId}$` } };
}

function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}
