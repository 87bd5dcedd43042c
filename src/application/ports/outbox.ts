import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';

/** A stored batch that may not have reached the bus. */
export interface UnpublishedBatch {
  readonly place: ConversationKey;
  readonly first: number;
  readonly events: readonly StoredEvent[];
}

/**
 * What was stored and is not known to be on the bus. Every batch that `append` stores is in it from the same moment on, by the same write,
 * until somebody says that it was published; a crash between the two leaves it there for any other server to find.
 */
export interface Outbox {
  /** Says that these batches are on the bus. May be remembered lazily: a batch can come up again, and is then published twice. */
  published(batches: readonly { readonly place: ConversationKey; readonly first: number }[]): void;
  /** Batches stored more than `olderThanMs` ago, by whichever server, oldest first, at most `limit`. */
  unpublished(olderThanMs: number, limit: number): Promise<UnpublishedBatch[]>;
}
