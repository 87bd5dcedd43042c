import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client, Headers } from '../transport/client-address.ts';
import type { Networks } from '../transport/networks.ts';

/** True when a request comes from another service, which may make the service calls. */
export type ServiceRule = (client: Client, headers: Headers) => boolean;

/**
 * With a token: requests that have it. Without one: requests from the networks.
 *
 * Never a request that an untrusted proxy forwarded. Without a token, also never a request with an
 * `Authorization` header, and never one from a browser, because any page that a user looks at could
 * send it.
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
