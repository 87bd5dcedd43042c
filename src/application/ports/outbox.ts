import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';

/** Identifies a batch by its place and the number of its first event. */
export interface BatchKey {
  readonly place: ConversationKey;
  readonly first: number;
}

/** A stored batch that may not have reached the bus. */
export interface UnpublishedBatch extends BatchKey {
  readonly events: readonly StoredEvent[];
}

/**
 * The stored batches that are not known to be on the bus. `append` adds a batch to the outbox by
 * the same write that stores it. The batch stays there until a server marks it as published. So
 * after a crash between the two steps, any other server finds the batch and publishes it.
 *
 * A batch with an event of an unknown kind is not listed: this version cannot encode it. It stays
 * in the outbox for a server that knows the kind.
 */
export interface Outbox {
  /**
   * Marks these batches as published. Returns at once and never throws. The mark may be written
   * later or get lost: then the batch is listed again and published twice.
   */
  published(batches: readonly BatchKey[]): void;
  /**
   * Batches that any server stored more than `olderThanMs` milliseconds ago, oldest first, at most
   * `limit`.
   * @throws Refusal `try-again` if the store does not answer in time, `store-failed` if it refuses
   */
  unpublished(olderThanMs: number, limit: number): Promise<UnpublishedBatch[]>;
}
