import { Refusal } from '../../domain/errors.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { countChars, hasMoreCharsThan } from '../../domain/text.ts';
import { quoted } from '../transport/quoted.ts';
import { parseDestination } from './destinations.ts';
import type { StompVersion } from './version.ts';

export type Headers = ReadonlyMap<string, string>;

/** Limited because the server keeps the id and each frame of the subscription repeats it. */
const MAX_ID_CHARS = 255;
const LAST_SEQ = /^(0|[1-9][0-9]*)$/;

/**
 * The `id` header of a SUBSCRIBE or UNSUBSCRIBE. STOMP 1.0 allows the destination in its place.
 * @throws Refusal `bad-input` if it is missing or too long
 */
export function subscriptionId(headers: Headers, version: StompVersion): string {
  const id = headers.get('id') ?? (version === '1.0' ? headers.get('destination') : undefined);
  if (id === undefined) throw new Refusal('bad-input', 'the header id is missing');
  if (hasMoreCharsThan(id, MAX_ID_CHARS)) {
    const chars = countChars(id);
    throw new Refusal('bad-input', `the header id has ${chars} characters; the limit is ${MAX_ID_CHARS}`);
  }
  return id;
}

/** A header that the command requires. @throws Refusal `bad-input` if it is missing */
export function requiredHeader(headers: Headers, name: string): string {
  const value = headers.get(name);
  if (value === undefined) throw new Refusal('bad-input', `the header ${name} is missing`);
  return value;
}

/**
 * The `last-seq` header: the client wants every event after this number. Null: only live events.
 * @throws Refusal `bad-input`
 */
export function lastSeqOf(headers: Headers): number | null {
  const text = headers.get('last-seq');
  if (text === undefined) return null;
  if (!LAST_SEQ.test(text)) throw new Refusal('bad-input', 'last-seq must be 0 or a positive integer');
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

/**
 * The place of a destination to subscribe to.
 * @throws Refusal `bad-input` if there is no such destination; patterns are not supported
 */
export function placeOf(destination: string): PlaceKey {
  const place = parseDestination(destination);
  if (place === null) {
    throw new Refusal('bad-input', `there is no destination ${quoted(destination)} to subscribe to`);
  }
  return place;
}

/**
 * Copies a text. A substring would keep the whole string in memory, for example the frame that it
 * came from.
 */
export function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
