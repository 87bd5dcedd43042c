import type { MessageId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import { isStoredKind, STORED_KINDS } from '../../../domain/stored-event.ts';
import type { MongoDatabase } from '../database.ts';
import type { EventBody } from '../documents.ts';

/** What the event log of a place says about a message. */
export interface LoggedMessage {
  readonly seq: number;
  /** The event that created the message. */
  readonly created: EventBody;
  /** The newest text, and the number of the event that has it. */
  readonly content: string;
  readonly textSeq: number;
  readonly isEdited: boolean;
  readonly isDeleted: boolean;
}

interface LoggedEvent {
  readonly seq: number;
  readonly event: EventBody;
}

/**
 * Finds messages in the event log by their ids. It uses the index `logged_ids`, which exists while
 * original servers run beside these and until the last `migrate --number`. Without the index, it
 * reads the whole log of the place.
 */
export async function loggedMessages(
  db: MongoDatabase,
  place: ConversationKey,
  ids: readonly MessageId[],
): Promise<Map<MessageId, LoggedMessage>> {
  const events = await db.events
    .aggregate<LoggedEvent>([
      { $match: { p: place, 'e.id': { $in: [...ids] } } },
      { $sort: { f: 1 } },
      { $project: { f: 1, e: 1 } },
      { $unwind: { path: '$e', includeArrayIndex: 'index' } },
      { $match: { 'e.id': { $in: [...ids] } } },
      { $project: { _id: 0, seq: { $add: ['$f', '$index'] }, event: '$e' } },
    ])
    .toArray();
  const found = new Map<MessageId, LoggedMessage>();
  for (const { seq, event } of events) {
    if (!isStoredKind(event.kind)) continue;
    const id = String(event.id);
    const known = found.get(id);
    const { creates, edits, deletes } = STORED_KINDS[event.kind];
    const content = String(event.content ?? '');
    if (creates && known === undefined) {
      const created = { seq: Number(seq), created: event, content, textSeq: Number(seq) };
      found.set(id, { ...created, isEdited: false, isDeleted: false });
    }
    if (known === undefined) continue;
    if (edits) found.set(id, { ...known, content, textSeq: Number(seq), isEdited: true });
    if (deletes) found.set(id, { ...known, isDeleted: true });
  }
  return found;
}
