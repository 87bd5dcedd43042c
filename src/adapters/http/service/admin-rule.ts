import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '../../../domain/errors.ts';

/** An entry of `ADMIN_TOKENS`. */
export interface AdminToken {
  /** The name that stands in the audit lines. */
  readonly name: string;
  readonly token: string;
}

/**
 * The name of the administrator who makes a request.
 * @throws Refusal `not-permitted` while there are no administrators; `no-token`, `bad-token`
 */
export type AdminRule = (headers: IncomingHttpHeaders) => string;

/**
 * An administrator is known by a bearer token of `ADMIN_TOKENS`. Neither a network nor the token of
 * a service or user counts. A comparison takes the same time for every token that is not right.
 */
export function adminRule(tokens: readonly AdminToken[]): AdminRule {
  const known = tokens.map(({ name, token }) => ({ name, digest: digest(token) }));
  return ({ authorization }) => {
    if (known.length === 0) {
      throw new Refusal('not-permitted', 'the service API is closed; the server has no ADMIN_TOKENS');
    }
    if (authorization === undefined) {
      throw new Refusal('no-token', 'the header Authorization is missing; it must be Bearer and an admin token');
    }
    const given = digest(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '');
    const found = known.filter((admin) => timingSafeEqual(admin.digest, given));
    const [admin] = found;
    if (admin === undefined) throw new Refusal('bad-token', 'the header Authorization has no token of ADMIN_TOKENS');
    return admin.name;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
