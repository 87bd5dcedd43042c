/** The target of a request under the prefix. */
export type Route =
  | { readonly kind: 'greeting' | 'info' | 'iframe' | 'raw-websocket' | 'unknown' }
  | { readonly kind: 'session'; readonly session: string; readonly endpoint: Endpoint };

const ENDPOINTS = [
  'websocket',
  'xhr',
  'xhr_send',
  'xhr_streaming',
  'eventsource',
  'htmlfile',
  'jsonp',
  'jsonp_send',
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

const IFRAME = /^\/iframe[0-9-.a-z_]*\.html$/;
// The limit of 128 characters bounds the memory that a client can use in the session table.
const SESSION = /^\/[^/.]{1,128}\/([^/.]{1,128})\/([a-z_]+)$/;

/** The route of a request target. Null: the target is not under the prefix. */
export function routeOf(target: string, prefix: string): Route | null {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.startsWith(prefix)) return null;
  const rest = path.slice(prefix.length);
  if (rest !== '' && !rest.startsWith('/')) return null;
  if (rest === '' || rest === '/') return { kind: 'greeting' };
  if (rest === '/info') return { kind: 'info' };
  if (rest === '/websocket') return { kind: 'raw-websocket' };
  if (IFRAME.test(rest)) return { kind: 'iframe' };
  const [, id, name] = SESSION.exec(rest) ?? [];
  const endpoint = ENDPOINTS.find((known) => known === name);
  return id !== undefined && endpoint !== undefined ? { kind: 'session', session: id, endpoint } : { kind: 'unknown' };
}

/** The query parameters of a request target. */
export function queryOf(target: string): URLSearchParams {
  const query = target.indexOf('?');
  return new URLSearchParams(query === -1 ? '' : target.slice(query + 1));
}
