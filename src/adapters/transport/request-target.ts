import type { IncomingMessage } from 'node:http';

const ABSOLUTE = /^(?:https?|wss?):\/\/([^/?#]*)([^#]*)/i;

/**
 * Gives a request whose target is in the absolute form (`GET http://host/path`, as sent to a proxy)
 * a target in the origin form (`GET /path`). The host of the target replaces the Host header (RFC
 * 9112, 3.2.2). Other requests stay as they are.
 */
export function useOriginForm(request: IncomingMessage): void {
  const target = request.url ?? '';
  if (target.startsWith('/')) return;
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  request.headers.host = authority.slice(authority.lastIndexOf('@') + 1);
}
