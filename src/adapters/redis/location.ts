/** A server of Redis, or a Sentinel. IPv6 addresses are without brackets. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** How Redis is reached. Printing or logging it shows no password. */
export class RedisLocation {
  /** One server, the Sentinels that know it, or some nodes of a Redis Cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** Servers, or Sentinels for `sentinel`. At least one. */
  readonly nodes: readonly RedisNode[];
  /** The name under which Sentinels know the servers; null for the other kinds. */
  readonly master: string | null;
  readonly database: number;
  /** With TLS, also to Sentinels. */
  readonly isTls: boolean;
  readonly #login: RedisLogin;

  constructor(parts: RedisParts) {
    this.kind = parts.kind;
    this.nodes = parts.nodes;
    this.master = parts.master;
    this.database = parts.database;
    this.isTls = parts.isTls;
    this.#login = parts.login;
  }

  /** User and password of Redis. They must never be logged. */
  reveal(): RedisLogin {
    return this.#login;
  }

  /** The URL without user and password. */
  toString(): string {
    const scheme = `redis${this.isTls ? 's' : ''}${this.kind === 'sentinel' ? '-sentinel' : ''}`;
    const hosts = this.nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
    const path = [this.master, this.database === 0 ? null : this.database].filter((part) => part !== null);
    return [`${scheme}://${hosts}`, ...path].join('/');
  }

  toJSON(): string {
    return this.toString();
  }
}

export interface RedisLogin {
  readonly username: string | null;
  readonly password: string | null;
}

interface RedisParts {
  readonly kind: RedisLocation['kind'];
  readonly nodes: readonly RedisNode[];
  readonly master: string | null;
  readonly database: number;
  readonly isTls: boolean;
  readonly login: RedisLogin;
}

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
const URL_PARTS = /^redis(s?)(-sentinel)?:\/\/(?:([^@/?#\s]*)@)?([^@/?#\s]+?)(\/[^?#\s]*)?(?:\?[^#\s]*)?$/i;

/**
 * Reads `redis://host:port/database`, `redis://h1:port,h2:port` (a Redis Cluster) or
 * `redis-sentinel://h1:port,h2:port/name/database`. `rediss` stands for TLS. Returns null for
 * another text.
 */
export function parseRedisUrl(text: string): RedisLocation | null {
  const match = URL_PARTS.exec(text);
  if (match === null) return null;
  const [, tls, sentinel, login, hosts = '', path = ''] = match;
  const isSentinel = sentinel !== undefined;
  const nodes = hosts.split(',').map((host) => nodeOf(host, isSentinel ? SENTINEL_PORT : REDIS_PORT));
  const [master, database, ...more] = isSentinel ? path.slice(1).split('/') : ['', ...path.slice(1).split('/')];
  const kind = isSentinel ? 'sentinel' : nodes.length > 1 ? 'cluster' : 'single';
  const known = nodes.filter((node) => node !== null);
  const credentials = loginOf(login);
  if (known.length < nodes.length || more.length > 0 || credentials === null) return null;
  if (!/^\d{0,5}$/.test(database ?? '') || (isSentinel && !/^[A-Za-z0-9._-]+$/.test(master ?? ''))) return null;
  const number = Number(database ?? '');
  // A cluster has one database only.
  if (kind === 'cluster' && number > 0) return null;
  return new RedisLocation({
    kind,
    nodes: known,
    master: isSentinel ? (master ?? '') : null,
    database: number,
    isTls: tls !== '',
    login: credentials,
  });
}

function nodeOf(text: string, defaultPort: number): RedisNode | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  return match === null || port < 1 || port > 65_535 ? null : { host: match[1] ?? match[2] ?? '', port };
}

function loginOf(text: string | undefined): RedisLogin | null {
  if (text === undefined) return { username: null, password: null };
  const colon = text.indexOf(':');
  try {
    const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
    const password = colon < 0 ? null : decodeURIComponent(text.slice(colon + 1));
    return { username: username === '' ? null : username, password };
  } catch {
    return null;
  }
}
