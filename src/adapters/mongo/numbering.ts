import { MongoServerError } from 'mongodb';
import { Refusal } from '../../domain/errors.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import type { Draft } from '../../domain/stored-event.ts';
import { withTimeout } from '../support/with-timeout.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf, type EventDocument, eventDocument, eventOfMessage, idValue, UNNUMBERED } from './documents.ts';
import { DUPLICATE_KEY } from './error-codes.ts';
import { CHANNEL_SEQ } from './indexes.ts';
import type { Projector } from './projector.ts';

const MAX_BATCH_MESSAGES = 500;
const TIMEOUT_MS = 4_000;

/** Runs a step when there is room for it. */
export type StepPace = (step: () => Promise<boolean>) => Promise<boolean>;

export interface NumberingParts {
  readonly db: MongoDatabase;
  readonly projector: Projector;
  /** Default: each step begins at once. */
  readonly pace?: StepPace | undefined;
}

/**
 * Numbers the messages that an original server stored, in places without events. The order is that
 * of time and id. Each step numbers 500 messages, so a place may have any size.
 *
 * Several servers may number one place. Each step appends a batch like any other, so one server
 * succeeds and the others continue from there. A batch has the mark `more` if another one has to
 * follow. A numbering that was interrupted is finished by the next server that reads the place.
 */
export class Numbering {
  readonly #parts: NumberingParts;
  readonly #inProgress = new Map<ConversationKey, Promise<void>>();

  constructor(parts: NumberingParts) {
    this.#parts = parts;
  }

  /** The places that have messages. None of `places` may have events. */
  async unnumbered(places: readonly ConversationKey[]): Promise<ConversationKey[]> {
    const kinds = [places.filter((place) => !isChannel(place)), places.filter(isChannel)];
    const found = await Promise.all(
      kinds.map(async (some) => {
        if (some[0] === undefined) return [];
        const ids = await this.#parts.db
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

  /**
   * Resolves when the places are numbered.
   * @throws Refusal `try-again` after 4 s. The numbering itself continues.
   */
  async finish(places: readonly ConversationKey[]): Promise<void> {
    const numbered = Promise.all(places.map((place) => this.#once(place)));
    await withTimeout(
      TIMEOUT_MS,
      numbered,
      () => new Refusal('try-again', 'the messages of this place are being numbered; try again in some seconds'),
    );
  }

  #once(place: ConversationKey): Promise<void> {
    const numbering = this.#inProgress.get(place) ?? this.#number(place).finally(() => this.#inProgress.delete(place));
    this.#inProgress.set(place, numbering);
    return numbering;
  }

  async #number(place: ConversationKey): Promise<void> {
    const { pace = (step) => step() } = this.#parts;
    while (await pace(() => this.#step(place)));
  }

  /** Numbers the next messages of the place. Returns false if nothing was left. */
  async #step(place: ConversationKey): Promise<boolean> {
    const { db, projector } = this.#parts;
    const last = await db.events.findOne({ p: place }, { sort: { f: -1 }, projection: { l: 1, more: 1 } });
    if (last !== null && last.more !== true) return false;
    // Otherwise the messages of the last batch would have no number yet and be numbered again.
    if (last !== null) await projector.help([place]);
    const docs = await db
      .messagesOf(place)
      .find({ channelId: channelIdOf(place), seq: UNNUMBERED }, { hint: CHANNEL_SEQ })
      .sort({ seq: 1, localDateTime: 1, _id: 1 })
      .limit(MAX_BATCH_MESSAGES + 1)
      .toArray();
    const drafts = await withoutDeletedParents(
      db,
      place,
      docs.slice(0, MAX_BATCH_MESSAGES).map((doc) => eventOfMessage(place, doc)),
    );
    if (drafts.length === 0) {
      if (last !== null) await db.events.updateOne({ _id: last._id }, { $unset: { more: '' } });
      return false;
    }
    const { out: _, ...doc } = eventDocument(place, (last?.l ?? 0) + 1, drafts, db.clock.now());
    await this.#add({ ...doc, legacy: true, ...(docs.length > MAX_BATCH_MESSAGES && { more: true as const }) });
    await projector.help([place]);
    return true;
  }

  async #add(doc: EventDocument): Promise<void> {
    try {
      await this.#parts.db.events.insertOne(doc);
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    }
  }
}

/** The original server may have deleted parents. Its replies still have copies of their texts. */
export async function withoutDeletedParents(
  db: MongoDatabase,
  place: ConversationKey,
  drafts: readonly Draft[],
): Promise<readonly Draft[]> {
  const parents = drafts.flatMap((draft) => (draft.kind === 'reply' ? [idValue(draft.parentId)] : []));
  if (parents.length === 0) return drafts;
  const found = await db
    .messagesOf(place)
    .find({ _id: { $in: parents } }, { projection: { _id: 1 } })
    .toArray();
  const known = new Set(found.map(({ _id }) => String(_id)));
  return drafts.map((draft) =>
    draft.kind === 'reply' && !known.has(draft.parentId) ? { ...draft, parentName: '', parentContent: '' } : draft,
  );
}
