import { MongoServerError } from 'mongodb';
import { Refusal } from '../../domain/errors.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf, type EventDocument, eventDocument, eventOfMessage, UNNUMBERED } from './documents.ts';
import { CHANNEL_SEQ } from './indexes.ts';
import type { Projector } from './projector.ts';

const BATCH = 500;
const PATIENCE_MS = 4_000;
const DUPLICATE = 11000;

/**
 * Numbers what an original server stored, in places that have no events yet: by time and id, some hundred at a time, so that a place of any size
 * passes through. Several servers may work on one place: each step is a batch at the end of the chain like any other, and who comes second goes on
 * from there. A batch says whether `more` follow, so a numbering that was cut off is finished by whoever touches the place next.
 */
export class Numbering {
  readonly #db: MongoDatabase;
  readonly #projector: Projector;
  readonly #under = new Map<ConversationKey, Promise<void>>();

  constructor(db: MongoDatabase, projector: Projector) {
    this.#db = db;
    this.#projector = projector;
  }

  /** Those of the places, all without events, that have messages. */
  async unnumbered(places: readonly ConversationKey[]): Promise<ConversationKey[]> {
    const kinds = [places.filter((place) => place.startsWith('r')), places.filter((place) => place.startsWith('c'))];
    const found = await Promise.all(
      kinds.map(async (some) => {
        if (some[0] === undefined) return [];
        const ids = await this.#db
          .messagesOf(some[0])
          .aggregate<{ _id: unknown }>(
            [
              { $match: { channelId: { $in: some.map(channelIdOf) } } },
              { $sort: { channelId: 1, seq: -1 } },
              { $group: { _id: '$channelId', any: { $first: '$seq' } } },
            ],
            { hint: CHANNEL_SEQ },
          )
          .toArray();
        const known = new Set(ids.map(({ _id }) => String(_id)));
        return some.filter((place) => known.has(place.slice(2)));
      }),
    );
    return found.flat();
  }

  /** @throws Refusal `try-again` when a large place takes longer than a caller should wait; it goes on all the same. */
  async finish(places: readonly ConversationKey[]): Promise<void> {
    const late = Promise.withResolvers<never>();
    const refuse = () => late.reject(new Refusal('try-again', 'the messages of this place are being numbered'));
    const timer = setTimeout(refuse, PATIENCE_MS);
    try {
      await Promise.race([Promise.all(places.map((place) => this.#once(place))), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #once(place: ConversationKey): Promise<void> {
    const flight = this.#under.get(place) ?? this.#number(place).finally(() => this.#under.delete(place));
    this.#under.set(place, flight);
    return flight;
  }

  async #number(place: ConversationKey): Promise<void> {
    for (;;) {
      const last = await this.#db.events.findOne({ p: place }, { sort: { f: -1 }, projection: { l: 1, more: 1 } });
      if (last !== null && last.more !== true) return;
      // The messages of the batch before must carry their numbers, or they would be taken for the next ones.
      if (last !== null) await this.#projector.help([place]);
      const docs = await this.#db
        .messagesOf(place)
        .find({ channelId: channelIdOf(place), seq: UNNUMBERED }, { hint: CHANNEL_SEQ })
        .sort({ seq: 1, localDateTime: 1, _id: 1 })
        .limit(BATCH + 1)
        .toArray();
      const drafts = docs.slice(0, BATCH).map((doc) => eventOfMessage(place, doc));
      if (drafts.length === 0) {
        if (last !== null) await this.#db.events.updateOne({ _id: last._id }, { $unset: { more: '' } });
        return;
      }
      const { out: _, ...doc } = eventDocument(place, (last?.l ?? 0) + 1, drafts, Date.now());
      await this.#add({ ...doc, legacy: true, ...(docs.length > BATCH && { more: true as const }) });
      await this.#projector.help([place]);
    }
  }

  async #add(doc: EventDocument): Promise<void> {
    try {
      await this.#db.events.insertOne(doc);
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== DUPLICATE) throw error;
    }
  }
}
