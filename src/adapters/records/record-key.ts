import type { OutgoingEvent } from '../../application/ports/message-bus.ts';

/**
 * The key under which an event travels between servers. It is the place of the event (`r-5`,
 * `c-11`, `com-1`) if there is one, otherwise the user (`u-3`) or the reporting server (`s-{server
 * id}`).
 */
export function recordKey(event: OutgoingEvent): string {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'file':
    case 'modify':
    case 'delete':
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
      return `u-${event.userId}`;
    case 'roster':
      return `s-${event.server}`;
  }
}
