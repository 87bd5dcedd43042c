import type { KeyObject } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import type { UserId } from '../../domain/ids.ts';
import { type JwtKeyOptions, signingKeys } from './signing-keys.ts';

export interface JwtTokenIssuerOptions extends JwtKeyOptions {
  /** The claim `role`; default `ROLE_USER`. */
  readonly role?: string;
  readonly now?: () => number;
}

/**
 * Issues tokens for the demo, in the form of the tokens of the issuing service. The first key
 * signs.
 */
export class JwtTokenIssuer {
  readonly #key: KeyObject;
  readonly #role: string;
  readonly #now: () => number;

  /** @throws Error when a secret gives no key */
  constructor(options: JwtTokenIssuerOptions) {
    this.#key = signingKeys(options)[0];
    this.#role = options.role ?? 'ROLE_USER';
    this.#now = options.now ?? Date.now;
  }

  issue(userId: UserId, account: string, lifetimeSeconds: number): string {
    const iat = Math.floor(this.#now() / 1_000);
    const claims = { sub: account, id: userId, role: this.#role, iat, exp: iat + lifetimeSeconds };
    return jsonwebtoken.sign(claims, this.#key, { algorithm: 'HS256' });
  }
}
