import { parseFilesUrl } from '../../adapters/files/create-file-store.ts';
import { originRule } from '../../adapters/http/origins.ts';
import { parseRedisUrl } from '../../adapters/redis/location.ts';
import { parseNetworks } from '../../adapters/transport/networks.ts';
import { ConnectionUrl } from './connection-url.ts';
import { form, secretForm } from './forms.ts';

const LOOPBACK = parseNetworks(['127.0.0.0/8', '::1/128']);

/** True if only this machine can connect to the address. */
export function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || LOOPBACK.contains(host);
}

/** An address or a host name. `[::1]` is returned without brackets, as sockets need it. */
export const hostName = form('an address or a host name, e.g. `0.0.0.0`', (text) => {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (bare.includes(':')) return URL.canParse(`http://[${bare}]`) ? bare : null;
  return /^[A-Za-z0-9._-]{1,253}$/.test(bare) ? bare : null;
});

export const presenceAddress = secretForm('like `tcp://host:port` or `tls://host:port`', (text) => {
  const url = URL.parse(text);
  if (url === null || !/^(tcp|tls):$/.test(url.protocol) || url.hostname === '' || !isPort(Number(url.port)))
    return null;
  if (url.username !== '' || url.password !== '' || hasMore(url) || !/^\/?$/.test(url.pathname)) return null;
  const isTls = url.protocol === 'tls:';
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port), isTls };
});

/** A base URL, returned without a slash at its end. */
export const baseUrl = secretForm(
  'a base URL without user, query and fragment, e.g. `http://community:8000` or `https://example.com/api`',
  (text) => {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol) || url.host === '') return null;
    if (url.username !== '' || url.password !== '' || hasMore(url)) return null;
    return url.href.replace(/\/+$/, '');
  },
);

export const mongoUrl = secretForm('like `mongodb://host:27017/chat` or `mongodb+srv://host/chat`', (text) => {
  const parts = /^(mongodb(?:\+srv)?):\/\/(?:[^@/?#]*@)?([^@/?#\s]+)(\/[^?#\s]*)?(?:\?[^#\s]*)?$/.exec(text);
  if (parts === null || (parts[2] ?? '').split(',').some((host) => !isHostAndMaybePort(host))) return null;
  return new ConnectionUrl(text, `${parts[1]}://${parts[2]}${parts[3] ?? ''}`);
});

export const redisUrl = secretForm(
  'like `redis://host:6379`, `rediss://host:6379/0`, `redis-sentinel://host1:26379,host2:26379/mymaster`, or with several hosts for a Redis Cluster',
  parseRedisUrl,
);

export const filesLocation = secretForm('a `file:` URL, the path of a folder, or like `s3://bucket/prefix`', (text) => {
  try {
    return parseFilesUrl(text);
  } catch {
    return null;
  }
});

/** An address or a network, as text: `10.0.0.0/8`. */
export const network = form('a network, e.g. `10.0.0.0/8`, or an address', (text) => fits(parseNetworks, [text], text));

/**
 * `https://chat.example.com`, `capacitor://localhost` or `*`. A star within a name would match no
 * origin, so it is refused.
 */
export const origin = form('an origin, e.g. `https://chat.example.com` or `capacitor://localhost`, or `*`', (text) =>
  text !== '*' && text.includes('*') ? null : fits(originRule, text, text),
);

function fits<Input>(check: (input: Input) => unknown, input: Input, value: string): string | null {
  try {
    check(input);
    return value;
  } catch {
    return null;
  }
}

function isHostAndMaybePort(text: string): boolean {
  const port = /^(?:[^:[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?$/.exec(text);
  return port !== null && (port[1] === undefined || isPort(Number(port[1])));
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

function hasMore(url: URL): boolean {
  return url.search !== '' || url.hash !== '';
}
