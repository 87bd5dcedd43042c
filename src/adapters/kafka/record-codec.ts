import type { OutgoingRecord } from '../../application/ports/message-bus.ts';
import { recordKey } from '../../application/record-key.ts';
import { type ChatEvent, isStored } from '../../domain/chat-event.ts';
import { type Fields, parseFields, Undecodable } from './lenient.ts';
import { decodeMessage, encodeMessage, type RecordFrame } from './message-fields.ts';
import { decodeState, encodeState } from './state-fields.ts';
import { type TopicKind, topicKindOf } from './topics.ts';

export interface EncodedRecord {
  readonly topicKind: TopicKind;
  readonly key: string;
  /** `server`, and for a stored event `seq` and `batch`: the newest number of its append. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text: the fields that servers of the first generation write, and a few more. */
  readonly value: string;
}

export function encodeRecord({ event, batchEnd }: OutgoingRecord, server: string): EncodedRecord {
  const headers: Record<string, string> = { server };
  if (isStored(event)) {
    headers.seq = String(event.seq);
    if (batchEnd !== undefined) headers.batch = String(batchEnd);
  }
  return { topicKind: topicKindOf(event), key: recordKey(event), headers, value: JSON.stringify(fieldsOf(event)) };
}

function fieldsOf(event: ChatEvent): Fields {
  switch (event.kind) {
    case 'foreign':
      return encodeMessage(event.event);
    case 'message':
    case 'reply':
    case 'file':
    case 'modify':
    case 'delete':
    case 'typing':
      return encodeMessage(event);
    default:
      return encodeState(event);
  }
}

/**
 * Reads a record of ours or of a server of the first generation, whose stored events carry no number.
 * @throws Undecodable
 */
export function decodeRecord(value: Buffer | null, frame: RecordFrame): ChatEvent {
  const fields = parseFields(value);
  if (frame.topicKind === 'STATE') return decodeState(fields);
  const event = decodeMessage(fields, frame);
  if (event.kind === 'typing') return event;
  return frame.seq === null ? { kind: 'foreign', event } : { ...event, seq: frame.seq };
}

const SEQ = /^[1-9][0-9]{0,15}$/;

/** A number as headers carry it. @throws Undecodable */
export function parseSeq(text: string): number {
  const seq = SEQ.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seq)) throw new Undecodable('a header is no number');
  return seq;
}
