import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client, Headers } from '../transport/client-address.ts';
import type { Networks } from '../transport/networks.ts';

/** True for a request of one of the services around, which may make the service calls. */
export type ServiceRule = (client: Client, headers: Headers) => boolean;

/**
 * Holders of the token, or, where there is none, callers from the networks. Never: what was forwarded by a peer that is no trusted proxy, what comes
 * with a user's token, and, by network, what a browser sends (any page that its user looks at could make it).
 */
export function serviceRule(token: string | null, networks: Networks): ServiceRule {
  const expected = token === null ? null : digest(token);
  return (client, headers) => {
    if (client.via === 'untrusted') return false;
    const given = headers.authorization;
    if (expected !== null) {
      const bearer = typeof given === 'string' ? /^Bearer +(\S+)$/i.exec(given)?.[1] : undefined;
      return bearer !== undefined && timingSafeEqual(digest(bearer), expected);
    }
    if (given !== undefined || headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) return false;
    return networks.contains(client.address);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
