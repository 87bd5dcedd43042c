import { createHash, randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { allowCachingForAYear, forbidCaching } from './responses.ts';

/** The page that a client loads in a hidden frame to send requests from the server's own origin. */
export class IframePage {
  readonly #html: string;
  readonly #etag: string;

  constructor(sockjsUrl: string) {
    this.#html = iframeHtml(sockjsUrl);
    this.#etag = `"${createHash('sha256').update(this.#html).digest('base64url').slice(0, 32)}"`;
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    allowCachingForAYear(response);
    response.setHeader('ETag', this.#etag);
    if (request.headers['if-none-match'] === this.#etag) {
      response.statusCode = 304;
      response.end();
      return;
    }
    response.setHeader('Content-Type', 'text/html; charset=UTF-8');
    response.end(this.#html);
  }
}

/**
 * Answers `/info`: what the server supports, and some entropy for clients without a good source.
 */
export function serveInfo(response: ServerResponse, websocket: boolean, cookieNeeded: boolean): void {
  forbidCaching(response);
  response.setHeader('Content-Type', 'application/json; charset=UTF-8');
  response.end(
    JSON.stringify({ websocket, origins: ['*:*'], cookie_needed: cookieNeeded, entropy: randomInt(2 ** 32) }),
  );
}

// The protocol defines the page exactly, except for the address of the script.
function iframeHtml(sockjsUrl: string): string {
  const address = sockjsUrl.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return `<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="${address}"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>`;
}
