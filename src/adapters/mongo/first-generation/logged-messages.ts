import { ObjectId } from 'mongodb';
import type { MessageId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import { isStoredKind, STORED_KINDS } from '../../../domain/stored-event.ts';
import type { MongoDatabase } from '../database.ts';
import type { EventBody, EventDocument } from '../documents.ts';
import { PLACE_FIRST } from '../indexes.ts';

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

/** How much later than the event of a message the clock of another server may say that it is. */
const CLOCK_MARGIN_MS = 10 * 60_000;
const BATCHES_PER_READ = 200;

/**
 * Finds messages in the event log by their ids, from the newest batch on. There is no index for
 * it. The search ends at the batches that are older than the messages, which their ids show.
 */
export async function loggedMessages(
  db: MongoDatabase,
  place: ConversationKey,
  ids: readonly MessageId[],
): Promise<Map<MessageId, LoggedMessage>> {
  const found = new Map<MessageId, LoggedMessage>();
  const missing = new Map<MessageId, Later>(ids.map((id) => [id, { text: null, isDeleted: false }]));
  const oldest = Math.min(...ids.map(timeOfId)) - CLOCK_MARGIN_MS;
  const batches = db.events
    .find({ p: place }, { hint: PLACE_FIRST, projection: { _id: 0, f: 1, at: 1, e: 1 }, batchSize: BATCHES_PER_READ })
    .sort({ f: -1 });
  try {
    for await (const batch of batches) {
      if (missing.size === 0 || batch.at.getTime() < oldest) break;
      readBackwards(batch, missing, found);
    }
  } finally {
    await batches.close();
  }
  return found;
}

/** What the events after the present one say about a message. */
interface Later {
  text: { readonly seq: number; readonly content: string } | null;
  isDeleted: boolean;
}

function readBackwards(
  { f, e }: Pick<EventDocument, 'f' | 'e'>,
  missing: Map<MessageId, Later>,
  found: Map<MessageId, LoggedMessage>,
): void {
  for (const [index, body] of [...e.entries()].reverse()) {
    const id = String(body.id);
    const later = missing.get(id);
    if (later === undefined || !isStoredKind(body.kind)) continue;
    const { creates, edits, deletes } = STORED_KINDS[body.kind];
    if (deletes) later.isDeleted = true;
    if (edits) later.text ??= { seq: f + index, content: String(body.content ?? '') };
    if (!creates) continue;
    missing.delete(id);
    found.set(id, {
      seq: f + index,
      created: body,
      content: later.text?.content ?? String(body.content ?? ''),
      textSeq: later.text?.seq ?? f + index,
      isEdited: later.text !== null,
      isDeleted: later.isDeleted,
    });
  }
}

/** Milliseconds since 1970; 0 for an id that does not show its time. */
function timeOfId(id: MessageId): number {
  return ObjectId.isValid(id) && id.length === 24 ? new ObjectId(id).getTimestamp().getTime() : 0;
}
