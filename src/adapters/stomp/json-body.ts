import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../domain/errors.ts';
import { type MessageId, parseId, parseMessageId } from '../../domain/ids.ts';

/** A JSON object as a client sent it. Its own keys only are read, by name. */
export type Fields = Readonly<Record<string, unknown>>;

const QUOTE = 34;
const BACKSLASH = 92;

/** Reads a body. @param deepest how many objects and lists may stand in each other @throws Refusal `bad-input` */
export function parseBody(body: Buffer, deepest: number): Fields {
  if (!isUtf8(body)) throw new Refusal('bad-input', 'the body is no UTF-8');
  if (isDeeper(body, deepest)) throw new Refusal('bad-input', `the body is nested more than ${deepest} deep`);
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new Refusal('bad-input', 'the body is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('bad-input', 'the body is no JSON object');
  }
  return value as Fields;
}

/** An id: a number or a decimal string. */
export function idField(fields: Fields, name: string): number {
  const id = parseId(fields[name]);
  if (id === null) throw new Refusal('bad-input', `${name} must be a positive whole number`);
  return id;
}

export function optionalIdField(fields: Fields, name: string): number | null {
  return fields[name] === undefined || fields[name] === null ? null : idField(fields, name);
}

export function messageIdField(fields: Fields, name: string): MessageId {
  const id = parseMessageId(fields[name]);
  if (id === null) throw new Refusal('bad-input', `${name} must be a message's id`);
  return id;
}

export function textField(fields: Fields, name: string): string {
  const text = fields[name];
  if (typeof text !== 'string') throw new Refusal('bad-input', `${name} must be a text`);
  return text;
}

export function optionalTextField(fields: Fields, name: string): string | null {
  return fields[name] === undefined || fields[name] === null ? null : textField(fields, name);
}

const LONGEST_NONCE = 64;

/** The sender's key for sending once, 1 to 64 characters, or null. */
export function nonceField(fields: Fields): string | null {
  const nonce = optionalTextField(fields, 'nonce');
  if (nonce !== null && (nonce === '' || nonce.length > LONGEST_NONCE)) {
    throw new Refusal('bad-input', `nonce must have 1 to ${LONGEST_NONCE} characters`);
  }
  return nonce;
}

function isDeeper(json: Buffer, deepest: number): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    // [ and { differ in one bit, and so do ] and }.
    else if (byte === 91 || byte === 123) depth += 1;
    else if (byte === 93 || byte === 125) depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}
