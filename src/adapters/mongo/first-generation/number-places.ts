import { MongoDatabase } from '../database.ts';
import type { FileLink } from '../documents.ts';
import { MongoMessageStore } from '../message-store.ts';
import { PlaceList } from '../place-list.ts';
import { ChangeOverMark } from './change-over-mark.ts';
import { MongoOriginalEvents } from './original-events.ts';

const PLACES_PER_READ = 500;
/** Places that are numbered at the same time. */
const WORKERS = 8;

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
 * that is numbered is only read. Servers may run meanwhile.
 * @throws Error with a human-readable message if no primary answers, or Refusal
 */
export async function numberPlaces(options: NumberPlacesOptions): Promise<NumberedPlaces> {
  const { url, fileLink, isBefore, onProgress } = options;
  const db = await MongoDatabase.connect(url, fileLink === null ? {} : { fileLink });
  const store: MongoMessageStore = new MongoMessageStore({
    db,
    isBackground: false,
    look: (places) => originals.look(places),
  });
  const originals = await MongoOriginalEvents.open({ db, store });
  try {
    const list = new PlaceList(db);
    const done = { places: 0, events: 0 };
    let cursor: string | null = null;
    do {
      const part = await list.part(cursor, PLACES_PER_READ);
      cursor = part.next;
      const waiting = [...part.places];
      const work = async () => {
        for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
          const events = await originals.takeAll(place);
          done.events += events;
          done.places += 1;
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
      onProgress({ ...done });
    } while (cursor !== null);
    if (!isBefore) await new ChangeOverMark(db).remove();
    return done;
  } finally {
    await store.close();
    await db.close();
  }
}
