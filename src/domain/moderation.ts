import { Refusal } from './errors.ts';
import type { UserId } from './ids.ts';
import type { ConversationKey } from './place.ts';

/** The user may do nothing until `until`, or for ever. */
export interface Ban {
  readonly userId: UserId;
  /** Milliseconds since 1970; null: for ever. */
  readonly until: number | null;
  /** For administrators. The user never sees it. */
  readonly reason: string | null;
}

/** The user may write nothing in a place until `until`, or for ever. */
export interface Mute {
  readonly userId: UserId;
  /** Null: everywhere. */
  readonly place: ConversationKey | null;
  /** Milliseconds since 1970; null: for ever. */
  readonly until: number | null;
}

/** A user may send one message in so many seconds in a place. */
export interface SlowMode {
  readonly place: ConversationKey;
  /** 0: there is no slow mode. */
  readonly seconds: number;
}

/** The longest slow mode: six hours. */
export const MAX_SLOW_MODE_SECONDS = 21_600;
/** Characters of the reason of a ban. */
export const MAX_REASON_CHARS = 1_000;

/** An order of an administrator. Every server obeys it. */
export type ModerationOrder =
  | ({ readonly kind: 'ban' } & Ban)
  | { readonly kind: 'unban'; readonly userId: UserId }
  | ({ readonly kind: 'mute' } & Mute)
  | ({ readonly kind: 'unmute' } & Omit<Mute, 'until'>)
  | ({ readonly kind: 'slow-mode' } & SlowMode)
  | { readonly kind: 'disconnect'; readonly userId: UserId }
  /** Stands where an order about a user was who is erased. It means nothing. */
  | { readonly kind: 'removed' };

/**
 * Names what an order is about. A later order of the same subject takes the place of an earlier
 * one.
 */
export function subjectOf(order: ModerationOrder): string {
  switch (order.kind) {
    case 'ban':
    case 'unban':
      return `ban/${order.userId}`;
    case 'mute':
    case 'unmute':
      return `mute/${order.userId}/${order.place ?? 'everywhere'}`;
    case 'slow-mode':
      return `slow-mode/${order.place}`;
    case 'disconnect':
      return `disconnect/${order.userId}`;
    case 'removed':
      return 'removed';
  }
}

/**
 * The time from which the order means no more than no order at all, in milliseconds since 1970;
 * null: never.
 * @param at when the order was given
 */
export function endOf(order: ModerationOrder, at: number): number | null {
  switch (order.kind) {
    case 'ban':
    case 'mute':
      return order.until;
    case 'slow-mode':
      return order.seconds === 0 ? at : null;
    case 'unban':
    case 'unmute':
    case 'disconnect':
    case 'removed':
      return at;
  }
}

/**
 * The form in which the store keeps an order about a user who is erased. A ban stays without its
 * reason: without it, a token that is still valid would let the user in again. Every other order is
 * removed.
 */
export function withoutPerson(order: ModerationOrder): ModerationOrder {
  return order.kind === 'ban' ? { ...order, reason: null } : { kind: 'removed' };
}

/** True for an order that names this user and would change by {@link withoutPerson}. */
export function tellsOf(userId: UserId, order: ModerationOrder): boolean {
  if (!('userId' in order) || order.userId !== userId) return false;
  return order.kind !== 'ban' || order.reason !== null;
}

/** The wall clock of a time that a user is shown: `2026-11-27 12:00:00 UTC`. */
function shown(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The refusal of everything that a banned user tries. */
export function banned({ until }: Pick<Ban, 'until'>): Refusal {
  return new Refusal('not-permitted', until === null ? 'you are banned' : `you are banned until ${shown(until)}`);
}

/** The refusal of everything that a muted user writes. */
export function muted({ place, until }: Pick<Mute, 'place' | 'until'>): Refusal {
  const where = place === null ? '' : ` in ${place}`;
  return new Refusal('not-permitted', `you are muted${where}${until === null ? '' : ` until ${shown(until)}`}`);
}
