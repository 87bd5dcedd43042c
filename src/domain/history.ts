import type { MessageId } from './ids.ts';
import type { Message } from './message.ts';

/** A message of a history page, with its parent as it is when the page is read. */
export interface HistoryEntry {
  readonly message: Message;
  /**
   * Null for a message that is not a reply, and for a reply whose parent was deleted.
   * `message.type` shows which.
   */
  readonly parent: Message | null;
}

/**
 * A part of a place's history: a page, counted from the newest with page 0, or the messages before
 * or after a number.
 */
export type HistoryRange =
  | { readonly kind: 'page'; readonly page: number; readonly size: number }
  | { readonly kind: 'before'; readonly seq: number; readonly size: number }
  | { readonly kind: 'after'; readonly seq: number; readonly size: number };

/** Adds to each reply its parent. `parents` holds those that still exist. */
export function withParents(messages: readonly Message[], parents: ReadonlyMap<MessageId, Message>): HistoryEntry[] {
  return messages.map((message) => ({
    message,
    parent: message.parentId === null ? null : (parents.get(message.parentId) ?? null),
  }));
}
