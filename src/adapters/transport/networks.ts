import ipaddr from 'ipaddr.js';

/** A set of addresses. */
export interface Networks {
  /** False if the text is not an address. */
  contains(address: string): boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Loopback and private addresses (RFC 1918, RFC 4193). */
export const LOCAL_NETWORKS: readonly string[] = [
  '127.0.0.0/8',
  '::1/128',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
];

/**
 * Reads networks such as `10.0.0.0/8` and `fd00::/8`, or single addresses.
 * @throws Error that names the first entry that is neither
 */
export function parseNetworks(list: readonly string[]): Networks {
  const ranges = list.map(rangeOf);
  return {
    contains(text) {
      const address = read(text);
      return (
        address !== null && ranges.some(([base, bits]) => address.kind() === base.kind() && address.match(base, bits))
      );
    },
  };
}

/**
 * An address in its normal form: IPv4 in IPv6 as IPv4, IPv6 shortened, no zone. Null: not an
 * address.
 */
export function normalAddress(text: string): string | null {
  return read(text)?.toString() ?? null;
}

const IPV6_NETWORK_PARTS = 4;

/**
 * The network that counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address.
 * A text that is not an address is returned unchanged.
 */
export function networkOf(text: string): string {
  const address = read(text);
  if (!(address instanceof ipaddr.IPv6)) return address?.toString() ?? text;
  const parts = address.parts.slice(0, IPV6_NETWORK_PARTS);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}

function read(text: string): Address | null {
  const zone = text.indexOf('%');
  const bare = zone === -1 ? text : text.slice(0, zone);
  // The library also reads `1`, `0x7f.1` and the like, which are not addresses in headers.
  if (!bare.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return null;
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : null;
}

function rangeOf(text: string): [Address, number] {
  const entry = text.trim();
  const slash = entry.indexOf('/');
  const address = read(slash === -1 ? entry : entry.slice(0, slash));
  if (address === null) throw new Error(`${JSON.stringify(entry)} is not a network such as 10.0.0.0/8`);
  const widest = address.kind() === 'ipv4' ? 32 : 128;
  const asWritten = slash === -1 ? String(widest) : entry.slice(slash + 1);
  const mapped = address.kind() === 'ipv4' && entry.includes(':') && slash !== -1;
  const bits = /^\d{1,3}$/.test(asWritten) ? Number(asWritten) - (mapped ? 96 : 0) : -1;
  if (bits < 0 || bits > widest)
    throw new Error(`${JSON.stringify(entry)} has a prefix length outside of 0 to ${widest}`);
  return [address, bits];
}
