import type { OutgoingRecord } from '../../application/ports/message-bus.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import { isStored } from '../../domain/stored-event.ts';
import { decodeMessage, encodeMessage, type RecordFrame } from './message-fields.ts';
import { type Fields, parseFields, Undecodable } from './record-fields.ts';
import { recordKey } from './record-key.ts';
import { type RecordStream, streamOf } from './record-stream.ts';
import { decodeState, encodeState } from './state-fields.ts';

export interface EncodedRecord {
  readonly stream: RecordStream;
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
  return { stream: streamOf(event), key: recordKey(event), headers, value: JSON.stringify(fieldsOf(event)) };
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
    case 'connect':
    case 'disconnect':
    case 'voice':
    case 'voice-left':
    case 'call-left':
    case 'members-changed':
    case 'roster':
      return encodeState(event);
    case 'unknown':
      throw new Error('an event of an unknown kind cannot be encoded');
  }
}

/**
 * Reads a record of ours or of a server of the first generation, whose stored events carry no number.
 * @throws Undecodable
 */
export function decodeRecord(value: Buffer | null, frame: RecordFrame): ChatEvent {
  const fields = parseFields(value);
  if (frame.stream === 'STATE') return decodeState(fields);
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
