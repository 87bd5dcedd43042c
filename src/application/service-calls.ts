import type { CommunityId, MessageId, UserId } from '../domain/ids.ts';
import type { ConversationKey } from '../domain/place.ts';
import type { Stored } from './commands.ts';

/** A message or reply that an administrator sends in the name of a user. */
export interface ServiceMessage {
  readonly place: ConversationKey;
  readonly userId: UserId;
  readonly content: string;
  /** The channel's community, where the administrator knows it. */
  readonly communityId: CommunityId | null;
  /** The message that a reply answers; null for a message. */
  readonly parentId: MessageId | null;
  readonly nonce: string | null;
}

export interface ServiceDeletion {
  readonly place: ConversationKey;
  readonly id: MessageId;
}

/** The deletion, and the author of the deleted message. */
export interface StoredDeletion extends Stored {
  readonly userId: UserId;
}

/**
 * The calls of administrators. The adapter checks that the caller is one. A method that fails
 * rejects with a `Refusal`.
 */
export interface ServiceCalls {
  /**
   * Stores a message or reply in the name of a user. Membership, bans, mutes, rates, slow mode and
   * the moderator do not stop it. A room must exist. A repeat with the same nonce within 24 hours
   * is answered with the first message.
   * @throws Refusal `bad-input`, `too-large`, `not-permitted`, `message-not-found`, `try-again`,
   * `store-failed`
   */
  sendMessage(message: ServiceMessage): Promise<Stored>;
  /**
   * Deletes a message of any author.
   * @throws Refusal `message-not-found`, `try-again`, `store-failed`
   */
  deleteMessage(deletion: ServiceDeletion): Promise<StoredDeletion>;
}
