import type { ConversationKey } from '../../domain/place.ts';
import type { Answer, Call } from './worker-protocol.ts';

/** Events that one process stored, for all others. They are decoded where they are needed. */
export interface StoredBatch {
  readonly place: ConversationKey;
  readonly first: number;
  readonly count: number;
  /** Id of the server that stored them. */
  readonly server: string;
  /** The drafts in the format of `structuredClone`. */
  readonly drafts: Uint8Array;
  /** For each draft its position in a trace, null for none. Missing if no draft is traced. */
  readonly traces?: readonly (string | null)[];
}

export type ToStore =
  | { readonly kind: 'join'; readonly server: string }
  | { readonly kind: 'calls'; readonly calls: readonly Call[] };

/** Batches of other processes arrive before the answers to calls that came after them. */
export type FromStore =
  /** From now on the process gets the events of all others. */
  | { readonly kind: 'joined' }
  | { readonly kind: 'stored'; readonly batches: readonly StoredBatch[] }
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] };
