import { Refusal } from '../../domain/errors.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { parseDestination } from './destinations.ts';
import type { StompVersion } from './version.ts';

export type Headers = ReadonlyMap<string, string>;

/** Each frame of a subscription carries its id, and the server remembers it. */
const LONGEST_ID = 255;
const LAST_SEQ = /^(0|[1-9][0-9]*)$/;

/** STOMP 1.0 lets a client subscribe, and unsubscribe, by the destination alone. @throws Refusal where there is no id */
export function subscriptionId(headers: Headers, version: StompVersion): string {
  const id = headers.get('id') ?? (version === '1.0' ? headers.get('destination') : undefined);
  if (id === undefined) throw new Refusal('bad-input', 'the subscription has no id');
  if (id.length > LONGEST_ID)
    throw new Refusal('bad-input', `a subscription's id has at most ${LONGEST_ID} characters`);
  return id;
}

/** A header that the command cannot do without. @throws Refusal */
export function requiredHeader(headers: Headers, name: string): string {
  const value = headers.get(name);
  if (value === undefined) throw new Refusal('bad-input', `the frame has no ${name}`);
  return value;
}

/** The number after which a client wants everything, or null: live from now on. @throws Refusal */
export function lastSeqOf(headers: Headers): number | null {
  const text = headers.get('last-seq');
  if (text === undefined) return null;
  if (!LAST_SEQ.test(text)) throw new Refusal('bad-input', 'last-seq must be a whole number');
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

/** @throws Refusal for what is no destination, patterns among them */
export function placeOf(destination: string): PlaceKey {
  const place = parseDestination(destination);
  if (place === null) throw new Refusal('bad-input', 'there is no such destination');
  return place;
}

/** A part of a text keeps the whole of it in memory, for instance the frame that it came in. */
export function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
