import { communityTopic, conversationTopic } from '../../domain/audience.ts';
import type { CallLeft, VoiceLeft, VoiceShown } from '../../domain/chat-event.ts';
import { roomKey } from '../../domain/conversation.ts';
import type { Publisher } from '../ordering/publisher.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';

export type VoiceEvent = VoiceShown | VoiceLeft | CallLeft;

/** Where an event about voice is heard. */
export function voiceTopic(event: VoiceEvent): string {
  return event.kind === 'call-left' ? conversationTopic(roomKey(event.roomId)) : communityTopic(event.communityId);
}

/** Tells what happens in voice channels, here and on the other servers. */
export class VoiceNews {
  readonly #subscribers: LocalSubscribers;
  readonly #publisher: Publisher;

  constructor(parts: { subscribers: LocalSubscribers; publisher: Publisher }) {
    this.#subscribers = parts.subscribers;
    this.#publisher = parts.publisher;
  }

  tell(event: VoiceEvent): void {
    this.#subscribers.deliver(voiceTopic(event), event);
    void this.#publisher.transient(event);
  }
}
