import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

/** A text that a user wants to write. */
export interface ModeratedText {
  readonly userId: UserId;
  readonly place: ConversationKey;
  readonly kind: 'message' | 'reply' | 'edit';
  readonly content: string;
}

/**
 * - `allow`: the text is stored as it is
 * - `refuse`: the user gets the message, or a usual one for null
 * - `replace`: this text is stored instead
 */
export type Verdict =
  | { readonly kind: 'allow' }
  | { readonly kind: 'refuse'; readonly message: string | null }
  | { readonly kind: 'replace'; readonly content: string };

/**
 * Decides about texts before they are stored, such as a filter of the application. The suite is
 * `test/contracts/moderator.ts`.
 *
 * `check` answers within about 300 ms. It changes nothing, so asking again is safe.
 * @throws Refusal `try-again` if there is no usable answer in time. The configuration says whether
 * the text is then allowed
 */
export interface Moderator {
  check(text: ModeratedText): Promise<Verdict>;
}
