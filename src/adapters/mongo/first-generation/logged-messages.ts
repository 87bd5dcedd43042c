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

/** Tolerated difference between the clock that made an id and the clock of MongoDB. */
const CLOCK_MARGIN_MS = 5 * 60_000;
const BATCHES_PER_READ = 500;

/** Numbers of the events of a message. */
interface Numbers {
  created: number | null;
  text: number | null;
  isDeleted: boolean;
}

/**
 * Finds messages in the event log by their ids, from the newest batch on. There is no index for
 * it. The search ends at the batches that are older than the messages, which their ids show.
 */
export async function loggedMessages(
  db: MongoDatabase,
  place: ConversationKey,
  ids: readonly MessageId[],
): Promise<Map<MessageId, LoggedMessage>> {
  const numbers = await numbersOf(db, place, ids);
  const wanted = [...numbers.values()].flatMap(({ created, text }) =>
    created === null ? [] : [created, text ?? created],
  );
  const bodies = await bodiesOf(db, place, wanted);
  const found = new Map<MessageId, LoggedMessage>();
  for (const [id, { created: seq, text, isDeleted }] of numbers) {
    const created = seq === null ? undefined : bodies.get(seq);
    if (seq === null || created === undefined) continue;
    const textSeq = text ?? seq;
    const content = String(bodies.get(textSeq)?.content ?? '');
    found.set(id, { seq, created, content, textSeq, isEdited: text !== null, isDeleted });
  }
  return found;
}

/** Reads ids and kinds only. */
async function numbersOf(
  db: MongoDatabase,
  place: ConversationKey,
  ids: readonly MessageId[],
): Promise<Map<MessageId, Numbers>> {
  const numbers = new Map<MessageId, Numbers>(ids.map((id) => [id, { created: null, text: null, isDeleted: false }]));
  const oldest = Math.min(...ids.map(timeOfId)) - CLOCK_MARGIN_MS;
  const projection = { _id: 0, f: 1, at: 1, 'e.id': 1, 'e.kind': 1 };
  const batches = db.events
    .find({ p: place }, { hint: PLACE_FIRST, projection, batchSize: BATCHES_PER_READ })
    .sort({ f: -1 });
  let missing = numbers.size;
  try {
    for await (const { f, at, e } of batches) {
      if (missing === 0 || at.getTime() < oldest) break;
      for (const [index, { id, kind }] of [...e.entries()].reverse()) {
        const known = numbers.get(String(id));
        if (known === undefined || known.created !== null || !isStoredKind(kind)) continue;
        const { creates, edits, deletes } = STORED_KINDS[kind];
        if (deletes) known.isDeleted = true;
        if (edits) known.text ??= f + index;
        if (!creates) continue;
        known.created = f + index;
        missing -= 1;
      }
    }
  } finally {
    await batches.close();
  }
  return numbers;
}

/** The events with these numbers. */
async function bodiesOf(
  db: MongoDatabase,
  place: ConversationKey,
  numbers: readonly number[],
): Promise<Map<number, EventBody>> {
  const bodies = new Map<number, EventBody>();
  for (const seq of new Set(numbers)) {
    const options = { hint: PLACE_FIRST, sort: { f: -1 }, projection: { _id: 0, f: 1, e: 1 } } as const;
    const batch = await db.events.findOne<Pick<EventDocument, 'f' | 'e'>>({ p: place, f: { $lte: seq } }, options);
    const body = batch?.e[seq - batch.f];
    if (body !== undefined) bodies.set(seq, body);
  }
  return bodies;
}

/** Milliseconds since 1970; 0 for an id that does not show its time. */
function timeOfId(id: MessageId): number {
  return ObjectId.isValid(id) && id.length === 24 ? new ObjectId(id).getTimestamp().getTime() : 0;
}
