import type { CallLeft, VoiceLeft, VoiceShown } from '../../domain/chat-event.ts';
import { communityKey, type PlaceKey, roomKey } from '../../domain/place.ts';
import type { Broadcast } from '../broadcast.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';

export type VoiceEvent = VoiceShown | VoiceLeft | CallLeft;

/** Where an event about voice is heard. */
export function placeOfVoice(event: VoiceEvent): PlaceKey {
  return event.kind === 'call-left' ? roomKey(event.roomId) : communityKey(event.communityId);
}

/** Tells what happens in voice channels, here and on the other servers. */
export class VoiceBroadcast {
  readonly #subscribers: LocalSubscribers;
  readonly #broadcast: Broadcast;

  constructor(parts: { subscribers: LocalSubscribers; broadcast: Broadcast }) {
    this.#subscribers = parts.subscribers;
    this.#broadcast = parts.broadcast;
  }

  tell(event: VoiceEvent): void {
    this.#subscribers.deliver(placeOfVoice(event), event);
    void this.#broadcast.send(event);
  }
}
