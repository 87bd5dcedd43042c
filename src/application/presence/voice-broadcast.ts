import type { CallLeft, VoiceLeft, VoiceShown } from '../../domain/chat-event.ts';
import { communityKey, type PlaceKey, roomKey } from '../../domain/place.ts';
import type { Broadcast } from '../broadcast.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';

export type VoiceEvent = VoiceShown | VoiceLeft | CallLeft;

/** The place where an event about voice is heard: the room of a call, otherwise the community. */
export function placeOfVoice(event: VoiceEvent): PlaceKey {
  return event.kind === 'call-left' ? roomKey(event.roomId) : communityKey(event.communityId);
}

export interface VoiceBroadcastParts {
  readonly subscribers: LocalSubscribers;
  readonly broadcast: Broadcast;
}

/**
 * Sends events about voice channels and calls to the subscribers of this server and to the other
 * servers.
 */
export class VoiceBroadcast {
  readonly #parts: VoiceBroadcastParts;

  constructor(parts: VoiceBroadcastParts) {
    this.#parts = parts;
  }

  send(event: VoiceEvent): void {
    this.#parts.subscribers.deliver(placeOfVoice(event), event);
    void this.#parts.broadcast.send(event);
  }
}
