import type { OutgoingEvent, OutgoingRecord } from '../../application/ports/message-bus.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import { parseConversationKey } from '../../domain/place.ts';
import { isStored, type UnknownEvent } from '../../domain/stored-event.ts';
import { decodeMessage, decodeTyping, encodeMessage, messageType, type RecordFrame } from './message-fields.ts';
import { type Fields, parseFields, Undecodable } from './record-fields.ts';
import { recordKey } from './record-key.ts';
import { type RecordStream, streamOf } from './record-stream.ts';
import { decodeState, encodeState } from './state-fields.ts';

/** A record as a bus writes it. All parts are text. */
export interface EncodedRecord {
  readonly stream: RecordStream;
  readonly key: string;
  /**
   * `server`: the id of the writing server. A stored event also has `seq`, its number, and `batch`,
   * the last number of its append, if that is known. `traceparent`: its position in a trace, if it
   * is traced.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON object: the fields of the original server and a few more. */
  readonly value: string;
}

/** @param server id of the server that writes the record */
export function encodeRecord({ event, batchEnd, trace }: OutgoingRecord, server: string): EncodedRecord {
  const headers: Record<string, string> = { server };
  if (trace !== undefined) headers.traceparent = trace;
  if (isStored(event)) {
    headers.seq = String(event.seq);
    if (batchEnd !== undefined) headers.batch = String(batchEnd);
  }
  return { stream: streamOf(event), key: recordKey(event), headers, value: JSON.stringify(fieldsOf(event)) };
}

function fieldsOf(event: OutgoingEvent): Fields {
  if (isStored(event)) return encodeMessage(event);
  switch (event.kind) {
    case 'typing':
      return encodeMessage(event);
    case 'connect':
    case 'disconnect':
    case 'voice':
    case 'voice-left':
    case 'call-left':
    case 'members-changed':
    case 'read':
    case 'roster':
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return encodeState(event);
  }
}

/**
 * Reads a record of this server or of the original, whose stored events have no number.
 *
 * A numbered record of a type that this version does not know becomes an {@link UnknownEvent}: a
 * newer server wrote it. Such a record keeps its number, so the feed of its place goes on.
 * @throws Undecodable
 */
export function decodeRecord(value: string | null, frame: RecordFrame): ChatEvent {
  const fields = parseFields(value);
  if (frame.stream === 'STATE') return decodeState(fields);
  const type = messageType(fields, frame);
  if (type === 'typing') return decodeTyping(fields, frame);
  if (type === null) return unknownEvent(fields, frame);
  const event = decodeMessage(type, fields, frame);
  return frame.seq === null ? { kind: 'foreign', event, timestamp: frame.timestamp } : { ...event, seq: frame.seq };
}

function unknownEvent({ type }: Fields, { key, seq }: RecordFrame): UnknownEvent {
  const place = key === null ? null : parseConversationKey(key);
  if (typeof type !== 'string' || place === null || seq === null) {
    throw new Undecodable('the type of message is not known');
  }
  return { kind: 'unknown', place, seq };
}

const SEQ = /^[1-9][0-9]{0,15}$/;

/** Reads a number of a header. @throws Undecodable */
export function parseSeq(text: string): number {
  const seq = SEQ.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seq)) throw new Undecodable('the headers seq and batch must be positive integers');
  return seq;
}
