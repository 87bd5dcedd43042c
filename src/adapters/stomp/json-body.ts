import { Refusal } from '../../domain/errors.ts';
import { type MessageId, parseClientId, parseMessageId } from '../../domain/ids.ts';
import { parseJson } from '../transport/json.ts';

/** A JSON object as a client sent it. Its fields are read by name. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses the body of a SEND.
 * @param maxDepth objects and lists within each other
 * @throws Refusal `bad-input`
 */
export function parseBody(body: Buffer, maxDepth: number): Fields {
  const value = parseJson(body, maxDepth);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('bad-input', 'the body must be a JSON object');
  }
  return value as Fields;
}

/**
 * An id of a user, room, channel or community: a number, a decimal string, or `Optional(5)`.
 * @throws Refusal `bad-input`
 */
export function idField(fields: Fields, name: string): number {
  const id = parseClientId(fields[name]);
  if (id === null) throw new Refusal('bad-input', problem(fields, name, 'a positive integer'));
  return id;
}

export function optionalIdField(fields: Fields, name: string): number | null {
  return fields[name] === undefined || fields[name] === null ? null : idField(fields, name);
}

const SEQ = /^(0|[1-9][0-9]{0,15})$/;

/** The number of an event, or 0: a JSON number or a decimal string. @throws Refusal `bad-input` */
export function seqField(fields: Fields, name: string): number {
  const value = fields[name];
  const seq = typeof value === 'number' || (typeof value === 'string' && SEQ.test(value)) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(seq) || seq < 0) {
    throw new Refusal('bad-input', problem(fields, name, '0 or a positive integer'));
  }
  return seq;
}

export function messageIdField(fields: Fields, name: string): MessageId {
  const id = parseMessageId(fields[name]);
  if (id === null) throw new Refusal('bad-input', problem(fields, name, 'a message id of 24 hexadecimal digits'));
  return id;
}

export function textField(fields: Fields, name: string): string {
  const text = fields[name];
  if (typeof text !== 'string') throw new Refusal('bad-input', problem(fields, name, 'a string'));
  return text;
}

export function optionalTextField(fields: Fields, name: string): string | null {
  return fields[name] === undefined || fields[name] === null ? null : textField(fields, name);
}

function problem(fields: Fields, name: string, expected: string): string {
  return fields[name] === undefined ? `${name} is missing` : `${name} must be ${expected}`;
}
