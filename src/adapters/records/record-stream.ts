import type { ChatEvent } from '../../domain/chat-event.ts';
import { isChannel, type PlaceKey } from '../../domain/place.ts';
import type { Draft } from '../../domain/stored-event.ts';

/** The six streams of records between servers. The original server has a topic for each. */
export const RECORD_STREAMS = ['DIRECT', 'CHANNEL', 'DIRECT_ETC', 'CHANNEL_ETC', 'FILE', 'STATE'] as const;

export type RecordStream = (typeof RECORD_STREAMS)[number];

/**
 * The stream of an event. New messages and files have streams of their own. Events that change or accompany messages go to the ETC
 * streams, everything else to STATE.
 */
export function streamOf(event: ChatEvent): RecordStream {
  switch (event.kind) {
    case 'foreign':
      return streamOfMessage(event.event);
    case 'message':
    case 'reply':
    case 'file':
    case 'modify':
    case 'delete':
      return streamOfMessage(event);
    case 'unknown':
    case 'typing':
      return etcStream(event.place);
    case 'connect':
    case 'disconnect':
    case 'voice':
    case 'voice-left':
    case 'call-left':
    case 'members-changed':
    case 'roster':
      return 'STATE';
  }
}

function streamOfMessage(event: Draft): RecordStream {
  switch (event.kind) {
    case 'message':
      return isChannel(event.place) ? 'CHANNEL' : 'DIRECT';
    case 'file':
      return 'FILE';
    case 'reply':
    case 'modify':
    case 'delete':
      return etcStream(event.place);
  }
}

function etcStream(place: PlaceKey): RecordStream {
  return isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC';
}
