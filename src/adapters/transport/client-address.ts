import { type Networks, normalAddress } from './networks.ts';

/** Request headers as Node returns them, with lower-case names. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The other end of the socket. */
export interface Peer {
  readonly address: string | undefined;
  /** True if TLS ends in this server. */
  readonly encrypted: boolean;
}

/** The client of a request, and the address by which it reached this server. */
export interface Client {
  /** The client's address; empty if unknown. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /**
   * Host and port as the client wrote them, in lower case; empty if missing or not a valid host.
   */
  readonly host: string;
  /**
   * `direct`: the client is the peer. `trusted`: the request was forwarded, and every hop after the
   * client is a trusted proxy. `untrusted`: the forwarding headers cannot be trusted; the address
   * is the last one that is certain.
   */
  readonly via: 'direct' | 'trusted' | 'untrusted';
}

/** True if a header says that a proxy forwarded the request. */
export function isForwarded(headers: Headers): boolean {
  return Object.keys(headers).some(
    (name) => name === 'forwarded' || name === 'via' || name === 'x-real-ip' || name.startsWith('x-forwarded-'),
  );
}

/**
 * Finds the client behind trusted proxies by `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`
 * (RFC 7239). Headers are read from the right: a hop counts if the proxy that reports it is
 * trusted.
 *
 * A proxy sets one of the two header families and passes the other on as the client wrote it. If
 * the two contradict each other, neither counts.
 */
export function clientOf(trusted: Networks, peer: Peer, headers: Headers): Client {
  const own: Client = {
    address: normalAddress(peer.address ?? '') ?? '',
    scheme: peer.encrypted ? 'https' : 'http',
    host: hostOf(text(headers.host)) ?? '',
    via: 'direct',
  };
  if (!isForwarded(headers)) return own;
  if (!trusted.contains(own.address)) return { ...own, via: 'untrusted' };

  const classic = classicHops(headers);
  const standard = standardHops(headers);
  const hops = classic.hops.length > 0 ? classic : standard;
  const walked = walk(trusted, own.address, hops.hops);
  const other = classic.hops.length > 0 && standard.hops.length > 0 ? standard : null;
  if (other !== null && walk(trusted, own.address, other.hops).address !== walked.address) {
    return { ...own, via: 'untrusted' };
  }
  return {
    address: walked.address,
    scheme: classic.scheme ?? standard.scheme ?? own.scheme,
    host: classic.host ?? standard.host ?? own.host,
    via: walked.certain ? 'trusted' : 'untrusted',
  };
}

interface Hops {
  /** Addresses as written, the farthest first. */
  readonly hops: readonly string[];
  readonly scheme: 'http' | 'https' | null;
  readonly host: string | null;
}

function walk(trusted: Networks, peer: string, hops: readonly string[]): { address: string; certain: boolean } {
  // A proxy that names no client must not count as the client.
  if (hops.length === 0) return { address: peer, certain: false };
  let address = peer;
  for (const hop of hops.toReversed()) {
    const next = addressOf(hop);
    if (next === null) return { address, certain: false };
    address = next;
    if (!trusted.contains(address)) break;
  }
  return { address, certain: true };
}

function classicHops(headers: Headers): Hops {
  return {
    hops: items(headers['x-forwarded-for']),
    scheme: schemeOf(items(headers['x-forwarded-proto']).at(-1)),
    host: hostOf(items(headers['x-forwarded-host']).at(-1)),
  };
}

const PAIR = /([!#$%&'*+.^_`|~0-9a-z-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*([;,]|$)/gi;

function standardHops(headers: Headers): Hops {
  const hops: string[] = [];
  let scheme: string | undefined;
  let host: string | undefined;
  for (const [, name = '', raw = '', end] of (text(headers.forwarded) ?? '').matchAll(PAIR)) {
    const value = raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, '$1') : raw;
    if (name.toLowerCase() === 'for') hops.push(value);
    else if (name.toLowerCase() === 'proto') scheme = value;
    else if (name.toLowerCase() === 'host') host = value;
    if (end === ',') {
      scheme = undefined;
      host = undefined;
    }
  }
  return { hops, scheme: schemeOf(scheme), host: hostOf(host) };
}

function items(header: Headers[string]): string[] {
  const value = text(header);
  return value === undefined ? [] : value.split(',').map((item) => item.trim());
}

function text(header: Headers[string]): string | undefined {
  return header === undefined || typeof header === 'string' ? header : header.join(',');
}

/** Reads `1.2.3.4`, `1.2.3.4:80`, `[::1]:80` or `::1`. Null for `unknown` and for names. */
function addressOf(hop: string): string | null {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(hop);
  if (bracketed !== null) return normalAddress(bracketed[1] ?? '');
  return normalAddress(/^[^:]*:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(':')) : hop);
}

function schemeOf(value: string | undefined): 'http' | 'https' | null {
  const scheme = value?.toLowerCase();
  if (scheme === 'https' || scheme === 'wss') return 'https';
  return scheme === 'http' || scheme === 'ws' ? 'http' : null;
}

const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

function hostOf(value: string | undefined): string | null {
  const host = value?.trim().toLowerCase();
  return host !== undefined && HOST.test(host) ? host : null;
}
