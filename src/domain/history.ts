import type { MessageId } from './ids.ts';
import type { Message } from './message.ts';

/** What a reply shows in place of a parent that was deleted. */
export const DELETED_PARENT = '삭제된 메세지입니다.';

/** A message of a history page with its parent as it stands when the page is read. */
export interface HistoryEntry {
  readonly message: Message;
  /** Null for what is no reply and for a reply whose parent was deleted: `message.type` tells them apart. */
  readonly parent: Message | null;
}

/** Which part of a place's history: numbered pages from the newest, or the neighbours of a number. */
export type HistoryRange =
  | { readonly kind: 'page'; readonly page: number; readonly size: number }
  | { readonly kind: 'before'; readonly seq: number; readonly size: number }
  | { readonly kind: 'after'; readonly seq: number; readonly size: number };

/** Joins messages with those of `parents` that still exist. */
export function withParents(messages: readonly Message[], parents: ReadonlyMap<MessageId, Message>): HistoryEntry[] {
  return messages.map((message) => ({
    message,
    parent: message.parentId === null ? null : (parents.get(message.parentId) ?? null),
  }));
}
