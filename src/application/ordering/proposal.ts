import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Draft, StoredKind } from '../../domain/stored-event.ts';

/** A request to add one event to the sequence of a place. */
export interface Proposal {
  readonly place: ConversationKey;
  readonly userId: UserId;
  readonly nonce: string | null;
  /** The message that the event edits, deletes or answers; null for none. */
  readonly target: MessageId | null;
  /** Kind of the event. A repeat with the same nonce must have the same kind. */
  readonly kind: StoredKind;
  /** Monotonic time at which the client's command was read. Default: that of the proposal. */
  readonly readAt?: number | undefined;
  /**
   * Makes the event from the target as it stands right before the event in the place's order. It is
   * called again when another server stored an event first.
   * @throws Refusal
   */
  decide(target: Message | undefined): Draft;
}
