import type { UserId } from './ids.ts';
import type { StoredEvent } from './stored-event.ts';

/** The author of messages whose user was removed. No user has this id. */
export const DELETED_USER_ID: UserId = 0;
/** The name over such messages. It is never null, because clients need a name. */
export const DELETED_USER_NAME = 'deleted user';

/** The event without its user: no id, name, picture and nonce. Texts and files stay. */
export function withoutAuthor(event: StoredEvent): StoredEvent {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'file':
      return { ...event, userId: DELETED_USER_ID, nonce: null, name: DELETED_USER_NAME, profileImage: null };
    case 'modify':
    case 'delete':
      return { ...event, userId: DELETED_USER_ID, nonce: null };
  }
}
