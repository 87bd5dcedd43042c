/** Ids of users, rooms, communities and channels are positive integers up to 2^53 - 1. */
export type UserId = number;
export type RoomId = number;
export type CommunityId = number;
export type ChannelId = number;

/** 24 lower-case hexadecimal digits. */
export type MessageId = string;

const DECIMAL = /^[1-9][0-9]{0,15}$/;

/**
 * Reads an id as clients send it: a JSON number, or a decimal string without sign, spaces or
 * leading zeros. Returns null for everything else, including numbers above 2^53 - 1.
 */
export function parseId(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : null;
  if (typeof value !== 'string' || !DECIMAL.test(value)) return null;
  const id = Number(value);
  return Number.isSafeInteger(id) ? id : null;
}

const OPTIONAL = /^Optional\(([0-9]+)\)$/;

/**
 * Reads an id from a field of a client: {@link parseId}, and `Optional(5)` for 5. The phone client
 * sends that in edits and typing notices.
 */
export function parseClientId(value: unknown): number | null {
  const inner = typeof value === 'string' ? OPTIONAL.exec(value)?.[1] : undefined;
  return parseId(inner ?? value);
}

const MESSAGE_ID = /^[0-9a-f]{24}$/;

/** Reads a message id and returns it in lower case. Returns null for everything else. */
export function parseMessageId(value: unknown): MessageId | null {
  if (typeof value !== 'string' || value.length !== 24) return null;
  const id = value.toLowerCase();
  return MESSAGE_ID.test(id) ? id : null;
}
