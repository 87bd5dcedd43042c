import type { OutgoingEvent } from '../../application/ports/message-bus.ts';
import { isChannel, type PlaceKey } from '../../domain/place.ts';

/** The six streams of records between servers. The original server has a topic for each. */
export const RECORD_STREAMS = ['DIRECT', 'CHANNEL', 'DIRECT_ETC', 'CHANNEL_ETC', 'FILE', 'STATE'] as const;

export type RecordStream = (typeof RECORD_STREAMS)[number];

export function isRecordStream(text: string): text is RecordStream {
  return RECORD_STREAMS.some((stream) => stream === text);
}

/**
 * The stream of an event. New messages and files have streams of their own. Events that change or
 * accompany messages go to the ETC streams, everything else to STATE.
 */
export function streamOf(event: OutgoingEvent): RecordStream {
  switch (event.kind) {
    case 'message':
      return isChannel(event.place) ? 'CHANNEL' : 'DIRECT';
    case 'file':
      return 'FILE';
    case 'reply':
    case 'modify':
    case 'delete':
    case 'typing':
      return etcStream(event.place);
    case 'connect':
    case 'disconnect':
    case 'voice':
    case 'voice-left':
    case 'call-left':
    case 'members-changed':
    case 'read':
    case 'roster':
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return 'STATE';
  }
}

function etcStream(place: PlaceKey): RecordStream {
  return isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC';
}
