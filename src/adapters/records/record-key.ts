import type { OutgoingEvent } from '../../application/ports/message-bus.ts';
import { isStored } from '../../domain/stored-event.ts';

/**
 * The key under which an event travels between servers. It is the place of the event (`r-5`,
 * `c-11`, `com-1`) if there is one, otherwise the user (`u-3`) or the reporting server (`s-{server
 * id}`).
 */
export function recordKey(event: OutgoingEvent): string {
  if (isStored(event)) return event.place;
  switch (event.kind) {
    case 'typing':
    case 'members-changed':
      return event.place;
    case 'voice':
    case 'voice-left':
      return `com-${event.communityId}`;
    case 'call-left':
      return `r-${event.roomId}`;
    case 'connect':
    case 'disconnect':
    case 'read':
      return `u-${event.userId}`;
    case 'roster':
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return `s-${event.server}`;
  }
}
