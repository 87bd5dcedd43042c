import { fileURLToPath } from 'node:url';
import express from 'express';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendPlain } from '../plain.ts';

const FOLDER = fileURLToPath(new URL('../../../../admin/', import.meta.url));
/** Text of the chat cannot become a script: the page runs its own files only. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/**
 * Serves the admin page and its files. Anybody may read them: they hold no data. The page reads its
 * data from the service API, with the token that the administrator types in.
 */
export function adminPageRoute({ hasAdmins }: Pick<HttpDeps, 'hasAdmins'>): Handler {
  const files = express.static(FOLDER, { dotfiles: 'ignore', redirect: false });
  return (request, response) => {
    if (!hasAdmins) {
      sendPlain(response, 403, 'the admin page is closed; the server has no ADMIN_TOKENS');
      return;
    }
    if (request.path === '/admin') {
      // Relative, so that it holds behind a proxy with a prefix. The files are beside the page.
      response.redirect(308, 'admin/');
      return;
    }
    response.setHeader('content-security-policy', POLICY);
    const { url } = request;
    request.url = url.slice('/admin'.length);
    files(request, response, () => {
      request.url = url;
      sendPlain(response, 404, 'no page has this address');
    });
  };
}
