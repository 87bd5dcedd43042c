/** Whether a page of that origin may use this server; `host` is how the client addressed it. Undefined: the request names no origin. */
export type OriginRule = (origin: string | undefined, host: string) => boolean;

/**
 * The rule of `ALLOWED_ORIGINS`: a comma list of origins, `*` for all, unset for the server's own. A request without an origin passes: it comes
 * from no page. The own origin is compared by host and port only, since the scheme is not known behind a TLS proxy that is not trusted.
 * @throws Error that names the entry which is no origin
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

function originOf(entry: string): string {
  const url = URL.parse(entry);
  const plain = url !== null && url.host !== '' && /^https?:$/.test(url.protocol);
  if (!plain || (url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.username !== '') {
    throw new Error(`${JSON.stringify(entry)} is no origin, e.g. https://chat.example.com`);
  }
  return `${url.protocol}//${url.host}`;
}

function isOwn(origin: string, host: string): boolean {
  const page = URL.parse(origin);
  if (page === null || host === '') return false;
  // Browsers leave the scheme's usual port out of both; others may write it.
  const usual = page.protocol === 'https:' ? ':443' : ':80';
  return page.host === (host.endsWith(usual) ? host.slice(0, -usual.length) : host);
}
