import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Draft } from '../../domain/stored-event.ts';

/** An edit or a deletion that an original server made and published. */
export interface OriginalChange {
  readonly event: Extract<Draft, { readonly kind: 'modify' | 'delete' }>;
  /**
   * When the bus took the record, in milliseconds since 1970. All servers read the same time. It
   * tells two equal edits of a message apart.
   */
  readonly timestamp: number;
}

/** The author of a message, as its record names them. */
export interface OriginalAuthor {
  readonly name: string;
  readonly profileImage: string | null;
}

/**
 * Takes into the event log what original servers write into the collections that both use. Used
 * only while original servers may run beside these (`FIRST_GENERATION=on`).
 *
 * Several servers hear of the same message or change and call at the same time. Each message and
 * change becomes one event, whichever server stores it. These events are never published: every
 * server has heard the record of the original server.
 *
 * All methods reject with `Refusal` if the store does not answer. They can then be repeated.
 */
export interface OriginalEvents {
  /**
   * Numbers the messages of the place that have no number: each becomes the next event of the
   * place, in the order of time and id. A message that had a number before an original server saved
   * it again gets the number back. If it has another text than in the log, that edit becomes an
   * event.
   * @param authors of messages that the original server stores without a name, such as files
   */
  number(place: ConversationKey, authors?: ReadonlyMap<MessageId, OriginalAuthor>): Promise<void>;
  /**
   * Stores a change of a message that has a number. Does nothing if the log has no such message,
   * knows it as deleted, or has the change already, or if the message has been edited again since.
   * Returns the message as it was created, if this call stored its deletion; otherwise null.
   */
  adopt(change: OriginalChange): Promise<Message | null>;
}
