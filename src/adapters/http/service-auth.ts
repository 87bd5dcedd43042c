import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client, Headers } from '../transport/client-address.ts';
import type { Networks } from '../transport/networks.ts';

/** True when a request comes from another service, which may make the service calls. */
export type ServiceRule = (client: Client, headers: Headers) => boolean;

/**
 * A service proves itself by the token or by its network. If both are configured, one of them is
 * enough.
 *
 * A request that an untrusted proxy forwarded is never a service's. The networks do not open a
 * request with an `Authorization` header, such as a user's token, nor one from a browser, because
 * any page that a user looks at could send it.
 * @param token null if only the networks open service calls
 */
export function serviceRule(token: string | null, networks: Networks): ServiceRule {
  const expected = token === null ? null : digest(token);
  return (client, headers) => {
    if (client.via === 'untrusted') return false;
    const given = headers.authorization;
    if (given !== undefined) return expected !== null && isBearerOf(expected, given);
    if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) return false;
    return networks.contains(client.address);
  };
}

function isBearerOf(expected: Buffer, given: string | readonly string[]): boolean {
  const bearer = typeof given === 'string' ? /^Bearer +(\S+)$/i.exec(given)?.[1] : undefined;
  return bearer !== undefined && timingSafeEqual(digest(bearer), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
