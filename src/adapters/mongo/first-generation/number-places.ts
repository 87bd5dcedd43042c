import { setTimeout as delay } from 'node:timers/promises';
import type { MessageId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import { isCreating, isStored } from '../../../domain/stored-event.ts';
import { ChangeOverMark } from '../change-over-mark.ts';
import { asStoreRefusal, MongoDatabase } from '../database.ts';
import { type FileLink, readEvents } from '../documents.ts';
import { PLACE_FIRST } from '../indexes.ts';
import { MongoMessageStore } from '../message-store.ts';
import { PlaceList } from '../place-list.ts';
import { dropAdoptionIndexes, ensureAdoptionIndexes } from './indexes.ts';
import { type DeletableMessage, MongoOriginalEvents } from './original-events.ts';
import { Pace } from './pace.ts';

const PLACES_PER_READ = 500;
/** Places that one worker takes at a time. */
const PLACES_PER_GROUP = 16;
const WORKERS = 2;
/** Messages that are looked up at a time. */
const MESSAGES_PER_READ = 500;
/** Probes before the first step. */
const IDLE_PROBES = 5;
const PROBE_EVERY_MS = 100;
/** Time in which a group of places is tried again before it is given up. */
const PATIENCE_MS = 30 * 60_000;
const REFUSAL_PAUSE_MS = 1_000;

export interface NumberedPlaces {
  readonly places: number;
  readonly events: number;
}

export interface NumberPlacesOptions {
  readonly url: string;
  /** As on the servers, because this process projects what they store. Null after the change. */
  readonly fileLink: FileLink | null;
  /** Original servers still run. Then the mark of the change stays. */
  readonly isBefore: boolean;
  /** Called after each 500 places. */
  readonly onProgress: (done: NumberedPlaces) => void;
}

/**
 * Numbers the messages of all places, and takes edits and deletions that an original server made
 * while no server of this version ran. It can be interrupted and begun again: the log of a place
 * that is numbered is only read. Servers may run meanwhile, and the pace leaves them room. While
 * MongoDB does not answer, it waits up to half an hour.
 * @throws Error with a human-readable message if no primary answers, or Refusal
 */
export async function numberPlaces(options: NumberPlacesOptions): Promise<NumberedPlaces> {
  const { url, fileLink, isBefore } = options;
  const db = await MongoDatabase.connect(url, { fileLink, prepare: ensureAdoptionIndexes });
  try {
    const mark = new ChangeOverMark(db);
    await mark.set();
    const done = await numberAll(db, mark, options.onProgress);
    if (!isBefore) {
      await dropAdoptionIndexes(db.events);
      await mark.remove();
    }
    return done;
  } finally {
    await db.close();
  }
}

async function numberAll(
  db: MongoDatabase,
  mark: ChangeOverMark,
  onProgress: NumberPlacesOptions['onProgress'],
): Promise<NumberedPlaces> {
  const pace = new Pace(await idleTime(mark));
  const store: MongoMessageStore = new MongoMessageStore({
    db,
    isBackground: false,
    look: (places) => originals.look(places),
    pace: (step) => pace.run(step),
  });
  const originals = new MongoOriginalEvents({ db, store });
  const over = new AbortController();
  const watching = watch(pace, mark, over.signal);
  try {
    return await new PlaceNumbering({ db, store, originals, pace }).all(onProgress);
  } finally {
    over.abort();
    await watching;
    await store.close();
  }
}

interface PlaceNumberingParts {
  readonly db: MongoDatabase;
  readonly store: MongoMessageStore;
  readonly originals: MongoOriginalEvents;
  readonly pace: Pace;
}

class PlaceNumbering {
  readonly #parts: PlaceNumberingParts;
  readonly #list: PlaceList;

  constructor(parts: PlaceNumberingParts) {
    this.#parts = parts;
    this.#list = new PlaceList(parts.db);
  }

  async all(onProgress: NumberPlacesOptions['onProgress']): Promise<NumberedPlaces> {
    const done = { places: 0, events: 0 };
    let part = await this.#part(null);
    for (;;) {
      // The next places are listed while these are numbered.
      const next = part.next === null ? null : this.#part(part.next);
      const waiting = [...part.places];
      const work = async () => {
        while (waiting.length > 0) {
          const group = waiting.splice(0, PLACES_PER_GROUP);
          done.events += await untilAnswered(() => this.#take(group));
          done.places += group.length;
        }
      };
      const listed = next?.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      await Promise.all(Array.from({ length: WORKERS }, work));
      onProgress({ ...done });
      const following = await listed;
      if (following === undefined) return done;
      if ('error' in following) throw following.error;
      part = following.value;
    }
  }

  #part(cursor: string | null) {
    return untilAnswered(() => this.#list.part(cursor, PLACES_PER_READ));
  }

  /**
   * Takes all that an original server wrote into the places, also the deletions that no record
   * told. Reads the whole log of a place that has one. Returns the number of new events.
   */
  async #take(places: readonly ConversationKey[]): Promise<number> {
    const { store, pace } = this.#parts;
    const before = await this.#ends(places);
    // Numbers the places, and looks into them.
    await store.newest(places);
    for (const [place, end] of before) if (end > 0) await pace.run(() => this.#takeDeletions(place));
    const after = await this.#ends(places);
    return places.reduce((sum, place) => sum + (after.get(place) ?? 0) - (before.get(place) ?? 0), 0);
  }

  async #takeDeletions(place: ConversationKey): Promise<void> {
    const { db, store, originals } = this.#parts;
    // Messages behind it may wait for their projection, so that their documents are missing too.
    const end = (await this.#ends([place])).get(place) ?? 0;
    await store.settle(new Map([[place, end]]));
    const created = new Map<MessageId, DeletableMessage>();
    const batches = db.events
      .find({ p: place, f: { $lte: end } }, { hint: PLACE_FIRST, projection: { f: 1, e: 1, failed: 1 } })
      .sort({ f: 1 });
    for await (const { f, e, failed } of batches) {
      // The documents of a batch that was set aside have never existed.
      if (failed !== undefined) continue;
      for (const event of readEvents({ p: place, f, e })) {
        if (!isStored(event)) continue;
        const { id, userId, time, communityId } = event;
        if (isCreating(event)) created.set(id, { place, id, userId, time, communityId });
        else if (event.kind === 'delete') created.delete(id);
      }
    }
    const messages = [...created.values()];
    for (let i = 0; i < messages.length; i += MESSAGES_PER_READ) {
      await originals.deleteMissing(messages.slice(i, i + MESSAGES_PER_READ));
    }
  }

  /** The newest numbers of the places that have one. */
  async #ends(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>> {
    const rows = await this.#parts.db.events
      .aggregate<{ _id: ConversationKey; l: number }>(
        [
          { $match: { p: { $in: [...places] } } },
          { $sort: { p: 1, f: -1 } },
          { $group: { _id: '$p', l: { $first: '$l' } } },
        ],
        { hint: PLACE_FIRST, batchSize: 1000 },
      )
      .toArray();
    return new Map(rows.map(({ _id, l }) => [_id, l]));
  }
}

/** Repeats the work while MongoDB does not answer, or a large place is still being numbered. */
async function untilAnswered<T>(work: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const refusal = asStoreRefusal(error);
      if (performance.now() > until || refusal.code !== 'try-again') throw refusal;
      await delay(REFUSAL_PAUSE_MS);
    }
  }
}

/** The median time of a probe, in milliseconds, while nothing is numbered. */
async function idleTime(mark: ChangeOverMark): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < IDLE_PROBES; i += 1) times.push(await timeOf(mark));
  return times.sort((a, b) => a - b)[Math.floor(IDLE_PROBES / 2)] ?? 0;
}

async function watch(pace: Pace, mark: ChangeOverMark, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    pace.probed(await timeOf(mark));
    await delay(PROBE_EVERY_MS);
  }
}

/** The time of a small write, in milliseconds. A write that fails is slow as well. */
async function timeOf(mark: ChangeOverMark): Promise<number> {
  const began = performance.now();
  await mark.touch().catch(() => {});
  return performance.now() - began;
}
