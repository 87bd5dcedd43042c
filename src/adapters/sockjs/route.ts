/** What a request under the prefix asks for. */
export type Route =
  | { readonly kind: 'greeting' | 'info' | 'iframe' | 'raw-websocket' | 'unknown' }
  | { readonly kind: 'session'; readonly session: string; readonly endpoint: Endpoint };

const endpoints = [
  'websocket',
  'xhr',
  'xhr_send',
  'xhr_streaming',
  'eventsource',
  'htmlfile',
  'jsonp',
  'jsonp_send',
] as const;
export type Endpoint = (typeof endpoints)[number];

const iframe = /^\/iframe[0-9-.a-z_]*\.html$/;
// The bound keeps what a client can make the session table remember small.
const session = /^\/[^/.]{1,128}\/([^/.]{1,128})\/([a-z_]+)$/;

/** The route of a request target, undefined where it lies outside the prefix. */
export function routeOf(target: string, prefix: string): Route | undefined {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.startsWith(prefix)) return undefined;
  const rest = path.slice(prefix.length);
  if (rest !== '' && !rest.startsWith('/')) return undefined;
  if (rest === '' || rest === '/') return { kind: 'greeting' };
  if (rest === '/info') return { kind: 'info' };
  if (rest === '/websocket') return { kind: 'raw-websocket' };
  if (iframe.test(rest)) return { kind: 'iframe' };
  const [, id, name] = session.exec(rest) ?? [];
  const endpoint = endpoints.find((known) => known === name);
  return id !== undefined && endpoint !== undefined ? { kind: 'session', session: id, endpoint } : { kind: 'unknown' };
}

/** A parameter of the request target's query. */
export function queryOf(target: string): URLSearchParams {
  const query = target.indexOf('?');
  return new URLSearchParams(query === -1 ? '' : target.slice(query + 1));
}
