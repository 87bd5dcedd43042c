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
 * trusted. Scheme and host are those of the hop that the address is taken from.
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
  const walkedClassic = walk(trusted, own.address, classic.hops);
  const walkedStandard = walk(trusted, own.address, standard.hops);
  const hasBoth = classic.hops.length > 0 && standard.hops.length > 0;
  if (hasBoth && walkedClassic.address !== walkedStandard.address) return { ...own, via: 'untrusted' };
  const walked = classic.hops.length > 0 ? walkedClassic : walkedStandard;
  const at = hasBoth ? walkedStandard.hop : walked.hop;
  return {
    address: walked.address,
    scheme: schemeOf(valueAt(classic.schemes, walked.hop)) ?? schemeOf(valueAt(standard.schemes, at)) ?? own.scheme,
    host: hostOf(valueAt(classic.hosts, walked.hop)) ?? hostOf(valueAt(standard.hosts, at)) ?? own.host,
    via: walked.certain ? 'trusted' : 'untrusted',
  };
}

/** Lists as written, the farthest hop first. */
interface Hops {
  /** Addresses. A hop that hides its client gives a text that is not an address. */
  readonly hops: readonly string[];
  readonly schemes: readonly (string | undefined)[];
  readonly hosts: readonly (string | undefined)[];
}

interface Walk {
  readonly address: string;
  /** The hop that the values are taken from, counted from this server: 0 is the nearest. */
  readonly hop: number;
  readonly certain: boolean;
}

function walk(trusted: Networks, peer: string, hops: readonly string[]): Walk {
  // A proxy that names no client must not count as the client.
  if (hops.length === 0) return { address: peer, hop: 0, certain: false };
  let address = peer;
  for (const [hop, written] of hops.toReversed().entries()) {
    const next = addressOf(written);
    if (next === null) return { address, hop, certain: false };
    address = next;
    if (!trusted.contains(address)) return { address, hop, certain: true };
  }
  return { address, hop: hops.length - 1, certain: true };
}

/**
 * The value of a hop. Where a list is shorter, a proxy on the way replaced it or did not add to it:
 * then the farthest value that is there counts.
 */
function valueAt(list: readonly (string | undefined)[], hop: number): string | undefined {
  for (let at = Math.max(list.length - 1 - hop, 0); at < list.length; at += 1) {
    if (list[at] !== undefined) return list[at];
  }
  return undefined;
}

function classicHops(headers: Headers): Hops {
  return {
    hops: items(headers['x-forwarded-for']),
    schemes: items(headers['x-forwarded-proto']),
    hosts: items(headers['x-forwarded-host']),
  };
}

const PAIR = /([!#$%&'*+.^_`|~0-9a-z-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*([;,]|$)/gi;

function standardHops(headers: Headers): Hops {
  const elements: Record<string, string>[] = [{}];
  for (const [, name = '', raw = '', end] of (text(headers.forwarded) ?? '').matchAll(PAIR)) {
    const value = raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, '$1') : raw;
    const element = elements.at(-1);
    if (element !== undefined) element[name.toLowerCase()] = value;
    if (end === ',') elements.push({});
  }
  const written = elements.filter((element) => Object.keys(element).length > 0);
  const namesClients = written.some((element) => element.for !== undefined);
  return {
    hops: namesClients ? written.map((element) => element.for ?? 'unknown') : [],
    schemes: written.map((element) => element.proto),
    hosts: written.map((element) => element.host),
  };
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
