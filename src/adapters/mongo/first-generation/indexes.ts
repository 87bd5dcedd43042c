import type { Collection, Db, IndexDescription } from 'mongodb';
import type { EventDocument } from '../documents.ts';

const LOGGED_IDS = 'logged_ids';

const EVENT: IndexDescription[] = [
  // Each message and change of an original server becomes one event.
  { name: 'adopted', key: { a: 1 }, unique: true, partialFilterExpression: { a: { $exists: true } } },
  // Finds the events of a message whose document an original server saved or deleted.
  { name: LOGGED_IDS, key: { p: 1, 'e.id': 1 } },
];

/** Creates the missing indexes of a server beside original ones. */
export async function ensureAdoptionIndexes(db: Db): Promise<void> {
  await db.collection('event').createIndexes(EVENT);
}

/**
 * Removes the index that every append would keep up to date. The other one takes no new entries
 * after the change.
 */
export async function dropAdoptionIndexes(events: Collection<EventDocument>): Promise<void> {
  await events.dropIndex(LOGGED_IDS);
}
