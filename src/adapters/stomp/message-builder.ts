import type { ChatEvent } from '../../domain/chat-event.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { isStored } from '../../domain/stored-event.ts';
import { type Destination, destinationOf } from './destinations.ts';
import { type EventBody, eventBody, type FileLink } from './event-body.ts';
import { MessageFrames } from './message-frame.ts';

/** Builds MESSAGE frames and gives each a message id. */
export class MessageBuilder {
  readonly #fileLink: FileLink;
  readonly #prefix: string;
  #counter = 0;

  /** @param prefix of the message ids of this process; must need no escaping */
  constructor(fileLink: FileLink, prefix: string) {
    this.#fileLink = fileLink;
    this.#prefix = prefix;
  }

  /**
   * The frames of an event. Null: the event is not for clients.
   * @param base of file links, e.g. `https://chat.example`
   */
  event(place: PlaceKey, event: ChatEvent, base: string): MessageFrames | null {
    const body = eventBody(event, (key) => this.#fileLink(key, base));
    if (body === null) return null;
    return new MessageFrames(
      destinationOf(place),
      isStored(event) ? `${event.place}-${event.seq}` : this.#nextId(),
      body,
    );
  }

  /** The frames of a message that is not an event. */
  notice(destination: Destination, body: EventBody): MessageFrames {
    return new MessageFrames(destination, this.#nextId(), body);
  }

  #nextId(): string {
    this.#counter += 1;
    return `${this.#prefix}-${this.#counter}`;
  }
}
