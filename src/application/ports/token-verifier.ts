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
 * Reads access tokens: HS256 only, by any of the configured keys, `exp` and `iat` with a small leeway, `id` the user id (a number), `sub` not empty.
 * @throws Refusal `bad-token`
 */
export interface TokenVerifier {
  verify(token: string): VerifiedToken;
}
