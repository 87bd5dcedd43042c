import { MongoDatabase } from '../database.ts';
import { MongoMessageStore } from '../message-store.ts';
import { PlaceList } from '../place-list.ts';
import { Beside } from './beside.ts';
import { MongoOriginalEvents } from './original-events.ts';

const PLACES_PER_READ = 500;
/** Places that are numbered at the same time. */
const WORKERS = 8;

export interface NumberedPlaces {
  readonly places: number;
  readonly events: number;
}

/**
 * Numbers the messages of all places, and takes edits and deletions that an original server made
 * while no server of this version ran. It can be interrupted and begun again: places that are
 * numbered cost a few reads. Servers may run meanwhile.
 * @param onProgress called after each 500 places
 * @throws Error with a human-readable message if no primary answers, or Refusal
 */
export async function numberPlaces(url: string, onProgress: (done: NumberedPlaces) => void): Promise<NumberedPlaces> {
  const db = await MongoDatabase.connect(url);
  const store: MongoMessageStore = new MongoMessageStore({ db, look: (places) => originals.look(places) });
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
    await new Beside(db).ended();
    return done;
  } finally {
    await store.close();
    await db.close();
  }
}
