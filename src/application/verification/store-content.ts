import type { MessageId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';

/** An event of the log as it is stored. */
export interface LoggedEvent {
  readonly kind: 'event';
  readonly event: SequencedEvent;
  /** True if the messages need not show this event: it waits, or the original server decides. */
  readonly isLoose: boolean;
}

/** Numbers that the log holds although their events were removed. */
export interface HeldNumbers {
  readonly kind: 'held';
  readonly from: number;
  readonly to: number;
}

export type LogEntry = LoggedEvent | HeldNumbers;

/** A message as pages show it. */
export interface KeptMessage {
  readonly id: MessageId;
  /** Null for a message of the original server that has no number yet. */
  readonly seq: number | null;
  readonly content: string;
}

/** A nonce under which a user has stored several messages within its lifetime. */
export interface RepeatedNonce {
  readonly userId: UserId;
  readonly nonce: string;
  readonly count: number;
}

/**
 * The whole content of a message store, read past the ports of the server. It must not change
 * meanwhile, or not behind the reader: then findings may be wrong.
 */
export interface StoreContent {
  /** Every place with a number, each once. */
  places(): AsyncIterable<ConversationKey>;
  /** The greatest number that was given in the place. */
  newest(place: ConversationKey): Promise<number>;
  /** The log of the place in the order of the numbers. */
  log(place: ConversationKey): AsyncIterable<LogEntry>;
  messages(place: ConversationKey): AsyncIterable<KeptMessage>;
  /** The stored count of numbers without a message. Unread counts use it. */
  holes(place: ConversationKey): Promise<number>;
  repeatedNonces(): AsyncIterable<RepeatedNonce>;
}
