import type { KeyObject } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import type { TokenVerifier, VerifiedToken } from '../../application/ports/token-verifier.ts';
import { Refusal } from '../../domain/errors.ts';
import { type JwtKeyOptions, signingKeys } from './signing-keys.ts';

export interface JwtTokenVerifierOptions extends JwtKeyOptions {
  /** Seconds by which the clocks of issuer and server may differ; default 5. */
  readonly leewaySeconds?: number;
  readonly now?: () => number;
}

/** The latest time that a Date holds, in milliseconds. */
const END_OF_TIME = 8.64e15;

/** Verifies tokens that are signed with HS256. It accepts no other algorithm. */
export class JwtTokenVerifier implements TokenVerifier {
  readonly #keys: readonly KeyObject[];
  readonly #leeway: number;
  readonly #now: () => number;

  /** @throws Error when a secret gives no key */
  constructor(options: JwtTokenVerifierOptions) {
    this.#keys = signingKeys(options);
    this.#leeway = options.leewaySeconds ?? 5;
    this.#now = options.now ?? Date.now;
  }

  verify(token: string): VerifiedToken {
    const seconds = Math.floor(this.#now() / 1_000);
    const { sub, id, role, iat, exp } = this.#claims(token, seconds);
    if (typeof sub !== 'string' || sub === '') throw bad('the token has no account: sub must be a text');
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1)
      throw bad('the token has no user: id must be a positive integer');
    if (typeof exp !== 'number' || !Number.isFinite(exp)) throw bad('the token has no expiry: exp must be a number');
    if (typeof iat !== 'number' || !Number.isFinite(iat))
      throw bad('the token has no time of issue: iat must be a number');
    if (iat > seconds + this.#leeway) {
      const ahead = `iat is ${Math.ceil(iat - seconds)} s ahead of the server's clock`;
      throw bad(`the token is not valid yet: ${ahead}; ${this.#leeway} s are allowed`);
    }
    if (role !== undefined && role !== null && typeof role !== 'string')
      throw bad('the role of the token must be a text');
    return { userId: id, account: sub, role: role ?? '', expiresAt: Math.min(exp * 1_000, END_OF_TIME) };
  }

  #claims(token: string, seconds: number): Record<string, unknown> {
    let refusal = bad('the token is not signed with a key of this server');
    for (const key of this.#keys) {
      try {
        const claims = jsonwebtoken.verify(token, key, {
          algorithms: ['HS256'],
          clockTolerance: this.#leeway,
          clockTimestamp: seconds,
        });
        if (typeof claims === 'string') throw bad('the token has no claims');
        return claims;
      } catch (error) {
        if (error instanceof Refusal) throw error;
        if (error instanceof jsonwebtoken.TokenExpiredError) throw bad('the token has expired');
        if (!(error instanceof Error) || error.message !== 'invalid signature')
          refusal = bad('the token is not a valid JWT signed with HS256');
      }
    }
    throw refusal;
  }
}

function bad(message: string): Refusal {
  return new Refusal('bad-token', message);
}
