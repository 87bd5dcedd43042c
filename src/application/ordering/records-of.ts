import type { StoredEvent } from '../../domain/stored-event.ts';
import type { OutgoingRecord } from '../ports/message-bus.ts';

/** The records of the events that one append stored for a place. */
export function recordsOf(events: readonly StoredEvent[]): OutgoingRecord[] {
  // Not counted from the first number: events may have been removed from the batch.
  const last = events.at(-1);
  return last === undefined ? [] : events.map((event) => ({ event, batchEnd: last.seq }));
}
