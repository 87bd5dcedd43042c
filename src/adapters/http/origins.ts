import type { Clock } from '../../application/ports/clock.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';

/**
 * True when a page of this origin may use this server. `host` is the host and port to which the
 * client sent the request. The origin is undefined when the request names none.
 */
export type OriginRule = (origin: string | undefined, host: string) => boolean;

/**
 * The rule of `ALLOWED_ORIGINS`: a list of origins split by commas, `*` for all, unset for the
 * server's own origin. A request without an origin passes, because it comes from no page. The own
 * origin is compared by host and port only: behind a TLS proxy that is not trusted the scheme is
 * unknown.
 * @throws Error that names an entry that is not an origin
 */
export function originRule(allowed: string | undefined): OriginRule {
  const list = (allowed ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (list.includes('*')) return () => true;
  const origins = new Set(list.map(originOf));
  if (origins.size === 0) return (origin, host) => origin === undefined || isOwn(origin, host);
  return (origin) => origin === undefined || origins.has(origin.toLowerCase());
}

const LOG_INTERVAL_MS = 60_000;
const MAX_ORIGIN_CHARS = 200;

/** The same rule, with a log line for a refused origin, at most one a minute. */
export function loggedOriginRule(
  rule: OriginRule,
  { telemetry, clock }: { readonly telemetry: Telemetry; readonly clock: Pick<Clock, 'now'> },
): OriginRule {
  let lastLogged = Number.NEGATIVE_INFINITY;
  return (origin, host) => {
    const isAllowed = rule(origin, host);
    if (!isAllowed && clock.now() - lastLogged >= LOG_INTERVAL_MS) {
      lastLogged = clock.now();
      const fields = { origin: origin?.slice(0, MAX_ORIGIN_CHARS), host };
      telemetry.log('warn', 'pages of an origin that ALLOWED_ORIGINS does not list are refused', fields);
    }
    return isAllowed;
  };
}

function originOf(entry: string): string {
  const url = URL.parse(entry);
  const plain = url !== null && url.host !== '' && /^https?:$/.test(url.protocol);
  if (!plain || (url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.username !== '') {
    throw new Error(`${JSON.stringify(entry)} is not an origin such as https://chat.example.com`);
  }
  return `${url.protocol}//${url.host}`;
}

function isOwn(origin: string, host: string): boolean {
  const page = URL.parse(origin);
  if (page === null || host === '') return false;
  // Browsers leave out the default port of the scheme, in the origin and in the host. Other clients
  // may write it.
  const defaultPort = page.protocol === 'https:' ? ':443' : ':80';
  return page.host === (host.endsWith(defaultPort) ? host.slice(0, -defaultPort.length) : host);
}
