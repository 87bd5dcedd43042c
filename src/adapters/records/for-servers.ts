import type { ChatEvent } from '../../domain/chat-event.ts';
import { isStored } from '../../domain/stored-event.ts';

/**
 * True for the events that the servers themselves act on. A server must read such a record even if
 * none of its clients subscribes to the record's place. This is the one meaning of
 * `IncomingRecord.isForServers`.
 */
export function isForServers(event: ChatEvent): boolean {
  if (isStored(event)) return false;
  switch (event.kind) {
    case 'members-changed':
    case 'read':
    case 'roster':
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return true;
    case 'unknown':
    case 'foreign':
    case 'typing':
    case 'connect':
    case 'disconnect':
    case 'voice':
    case 'voice-left':
    case 'call-left':
      return false;
  }
}
