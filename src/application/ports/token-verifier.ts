import type { UserId } from '../../domain/ids.ts';

export interface VerifiedToken {
  readonly userId: UserId;
  /** Account name (`sub`), never empty. */
  readonly account: string;
  readonly role: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Verifies access tokens. A token must be signed with HS256 by one of the configured keys. `exp`
 * and `iat` are checked with a leeway of a few seconds, `id` must be a user id, `sub` must not be
 * empty.
 * @throws Refusal `bad-token`
 */
export interface TokenVerifier {
  verify(token: string): VerifiedToken;
}
