import type { UserId } from '../../domain/ids.ts';

export interface VerifiedToken {
  readonly userId: UserId;
  /** Account name (`sub`), an e-mail address. It is never empty and never shown. */
  readonly account: string;
  /** Empty if the claim is missing or is not a text. */
  readonly role: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Verifies access tokens. A token must be signed with HS256 by one of the configured keys. `id`
 * must be a user id, `sub` must not be empty, and `iat` must be a number. `exp` decides without a
 * leeway, and `nbf`, where there is one, with 60 s. `iat` is not compared with the clock, since the
 * clocks of servers differ. `role` may be missing or have any form. A token with the header `crit`
 * is refused.
 * @throws Refusal `bad-token`
 */
export interface TokenVerifier {
  verify(token: string): VerifiedToken;
}
