import type { Clock } from '../../application/ports/clock.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { seldom } from './seldom.ts';

/**
 * True when a page of this origin may use this server. `host` is the host and port to which the
 * client sent the request. The origin is undefined when the request names none.
 */
export type OriginRule = (origin: string | undefined, host: string) => boolean;

/**
 * The rule of `ALLOWED_ORIGINS`: a list of origins of any scheme, split by commas, or `*` for all.
 * A request without an origin passes, because it comes from no page.
 *
 * The server's own host is never foreign: the host of the request, and that of `PUBLIC_URL`. It is
 * compared with the host and port of an origin `http`, `https`, `ws` or `wss`. The scheme does not
 * count: behind a TLS proxy that is not trusted it is unknown, and some clients write `https`
 * always.
 * @throws Error that names an entry that is not an origin
 */
export function originRule(allowed: string | undefined, publicUrl: string | null = null): OriginRule {
  const list = (allowed ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (list.includes('*')) return () => true;
  const origins = new Set(list.map(listedOrigin));
  const publicHost = publicUrl === null ? '' : (URL.parse(publicUrl)?.host ?? '');
  return (origin, host) => {
    if (origin === undefined || origins.has(origin)) return true;
    const page = URL.parse(origin);
    if (page === null) return false;
    return origins.has(originOf(page)) || isHostOf(page, host) || isHostOf(page, publicHost);
  };
}

const LOG_INTERVAL_MS = 60_000;
const MAX_ORIGIN_CHARS = 200;

/** The same rule, with a log line for a refused origin, at most one a minute. */
export function loggedOriginRule(
  rule: OriginRule,
  { telemetry, clock }: { readonly telemetry: Telemetry; readonly clock: Pick<Clock, 'monotonic'> },
): OriginRule {
  const mayLog = seldom(clock, LOG_INTERVAL_MS);
  return (origin, host) => {
    const isAllowed = rule(origin, host);
    if (!isAllowed && mayLog()) {
      const fields = { origin: origin?.slice(0, MAX_ORIGIN_CHARS), host };
      telemetry.log('warn', 'pages of an origin that ALLOWED_ORIGINS does not list are refused', fields);
    }
    return isAllowed;
  };
}

/** A scheme, a host with or without a port, and a slash at the end or none. Files have no host. */
const ORIGIN = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+|file:\/\/)\/?$/i;

function listedOrigin(entry: string): string {
  const url = ORIGIN.test(entry) ? URL.parse(entry) : null;
  if (url === null) throw new Error(`${JSON.stringify(entry)} is not an origin such as https://chat.example.com`);
  return originOf(url);
}

/** The origin as browsers write it: in lower case, without a default port. */
function originOf({ protocol, host }: URL): string {
  return `${protocol}//${host.toLowerCase()}`;
}

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http:', ':80'],
  ['https:', ':443'],
  ['ws:', ':80'],
  ['wss:', ':443'],
]);

function isHostOf(page: URL, host: string): boolean {
  const defaultPort = DEFAULT_PORTS.get(page.protocol);
  if (defaultPort === undefined || host === '') return false;
  // Browsers leave out the default port of the scheme, in the origin and in the host. Other clients
  // may write it.
  return page.host === (host.endsWith(defaultPort) ? host.slice(0, -defaultPort.length) : host);
}
