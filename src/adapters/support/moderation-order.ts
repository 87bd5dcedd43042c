import { parseId, type UserId } from '../../domain/ids.ts';
import { MAX_SLOW_MODE_SECONDS, type ModerationOrder } from '../../domain/moderation.ts';
import { type ConversationKey, parseConversationKey } from '../../domain/place.ts';

/** The stored form of an order. Only a kind of a newer server has other fields. */
export interface OrderFields {
  readonly kind: string;
  readonly userId?: UserId;
  readonly place?: ConversationKey | null;
  readonly until?: number | null;
  readonly reason?: string | null;
  readonly seconds?: number;
}

export function writeOrder(order: ModerationOrder): OrderFields {
  return { ...order };
}

/**
 * Reads a stored order. Null for a kind that this version does not know, and for damaged fields.
 */
export function readOrder(stored: unknown): ModerationOrder | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { kind, userId, place, until, reason, seconds } = stored as Record<keyof OrderFields, unknown>;
  const user = parseId(userId);
  const conversation = typeof place === 'string' ? parseConversationKey(place) : null;
  const end = timeOf(until);
  if (kind === 'slow-mode') {
    const isValid = Number.isInteger(seconds) && Number(seconds) >= 0 && Number(seconds) <= MAX_SLOW_MODE_SECONDS;
    return conversation === null || !isValid ? null : { kind, place: conversation, seconds: Number(seconds) };
  }
  if (kind === 'removed') return { kind };
  if (user === null) return null;
  switch (kind) {
    case 'ban':
      return end === undefined
        ? null
        : { kind, userId: user, until: end, reason: typeof reason === 'string' ? reason : null };
    case 'mute':
      return end === undefined || (place !== null && conversation === null)
        ? null
        : { kind, userId: user, place: conversation, until: end };
    case 'unmute':
      return place !== null && conversation === null ? null : { kind, userId: user, place: conversation };
    case 'unban':
    case 'disconnect':
      return { kind, userId: user };
    default:
      return null;
  }
}

/** Milliseconds or null; undefined for anything else. */
function timeOf(until: unknown): number | null | undefined {
  if (until === null) return null;
  return typeof until === 'number' && Number.isFinite(until) ? until : undefined;
}
