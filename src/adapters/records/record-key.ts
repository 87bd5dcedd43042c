import type { ChatEvent } from '../../domain/chat-event.ts';

/**
 * The key under which an event travels between servers; what shares a key and a kind keeps its order.
 * A place (`r-5`, `c-11`, `com-1`) where there is one, else the user (`u-3`) or the telling server (`s-{server id}`).
 */
export function recordKey(event: ChatEvent): string {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'file':
    case 'modify':
    case 'delete':
    case 'unknown':
    case 'typing':
    case 'members-changed':
      return event.place;
    case 'foreign':
      return event.event.place;
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
