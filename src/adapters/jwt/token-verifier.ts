import type { KeyObject } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import type { TokenVerifier, VerifiedToken } from '../../application/ports/token-verifier.ts';
import { Refusal } from '../../domain/errors.ts';
import { type JwtKeyOptions, signingKeys } from './signing-keys.ts';

export interface JwtTokenVerifierOptions extends JwtKeyOptions {
  readonly now?: () => number;
}

/** The latest time that a Date holds, in milliseconds. */
const END_OF_TIME = 8.64e15;
/** Seconds by which `nbf` may be ahead of the server's clock. */
const NBF_LEEWAY_SECONDS = 60;

/** Verifies tokens that are signed with HS256. It accepts no other algorithm. */
export class JwtTokenVerifier implements TokenVerifier {
  readonly #keys: readonly KeyObject[];
  readonly #now: () => number;

  /** @throws Error when a secret gives no key */
  constructor(options: JwtTokenVerifierOptions) {
    this.#keys = signingKeys(options);
    this.#now = options.now ?? Date.now;
  }

  verify(token: string): VerifiedToken {
    const { sub, id, role, iat, exp, nbf } = this.#claims(token);
    if (typeof sub !== 'string' || sub === '') throw bad('the token has no account: sub must be a text');
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1)
      throw bad('the token has no user: id must be a positive integer');
    if (!isTime(exp)) throw bad('the token has no expiry: exp must be a number');
    if (!isTime(iat)) throw bad('the token has no time of issue: iat must be a number');
    const now = this.#now();
    if (now >= exp * 1_000) throw bad('the token has expired');
    if (nbf !== undefined) checkStart(nbf, now);
    const expiresAt = Math.min(exp * 1_000, END_OF_TIME);
    return { userId: id, account: sub, role: typeof role === 'string' ? role : '', expiresAt };
  }

  #claims(token: string): Record<string, unknown> {
    let refusal = bad('the token is not signed with a key of this server');
    for (const key of this.#keys) {
      try {
        const { header, payload } = jsonwebtoken.verify(token, key, {
          algorithms: ['HS256'],
          // This class checks the times by itself: exp without a leeway, nbf with one.
          ignoreExpiration: true,
          ignoreNotBefore: true,
          complete: true,
        });
        // RFC 7515, section 4.1.11: a token with an extension that is not understood is not valid.
        if (Object.hasOwn(header, 'crit')) throw bad('the token has critical extensions (crit); none is supported');
        if (typeof payload === 'string') throw bad('the token has no claims');
        return payload;
      } catch (error) {
        if (error instanceof Refusal) throw error;
        if (!(error instanceof Error) || error.message !== 'invalid signature')
          refusal = bad('the token is not a valid JWT signed with HS256');
      }
    }
    throw refusal;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** @throws Refusal `bad-token` for a token that is not valid yet */
function checkStart(nbf: unknown, now: number): void {
  if (!isTime(nbf)) throw bad('the start of the token is not valid: nbf must be a number');
  const ahead = nbf - now / 1_000;
  if (ahead <= NBF_LEEWAY_SECONDS) return;
  const problem = `nbf is ${Math.ceil(ahead)} s ahead of the server's clock; ${NBF_LEEWAY_SECONDS} s are allowed`;
  throw bad(`the token is not valid yet: ${problem}`);
}

function bad(message: string): Refusal {
  return new Refusal('bad-token', message);
}
