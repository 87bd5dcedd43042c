import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpEndpoints } from './http-endpoints.ts';
import { type SockJsOptions, settingsOf } from './options.ts';
import { routeOf } from './route.ts';
import { SessionTable } from './session-table.ts';
import { WebSocketEndpoint } from './web-socket-endpoint.ts';

/** A SockJS 0.3 service, and the raw WebSocket beside it, to be hung into any `node:http` server. */
export interface SockJs {
  /** Answers a request under the prefix; false, with nothing done, for any other. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** Takes over an upgrade under the prefix, to refuse it maybe; false, with nothing done, for any other. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Closes every connection with that code and lets none begin; HTTP clients read of it with their next request. */
  close(code: number, reason: string): void;
  /** Open WebSockets, and HTTP sessions, those that are closed and not yet forgotten among them. */
  readonly counts: { readonly webSockets: number; readonly httpSessions: number };
}

export function createSockJs(options: SockJsOptions): SockJs {
  const settings = settingsOf(options);
  const sessions = new SessionTable(settings);
  const http = new HttpEndpoints(settings, sessions);
  const webSockets = new WebSocketEndpoint(settings);
  return {
    handleRequest(request, response) {
      const route = routeOf(request.url ?? '', settings.prefix);
      if (route === undefined) return false;
      http.handle(route, request, response);
      return true;
    },
    handleUpgrade(request, socket, head) {
      const route = routeOf(request.url ?? '', settings.prefix);
      if (route === undefined) return false;
      webSockets.handle(route, request, socket, head);
      return true;
    },
    close(code, reason) {
      http.close();
      webSockets.closeAll(code, reason);
      sessions.closeAll(code, reason);
    },
    get counts() {
      return { webSockets: webSockets.size, httpSessions: sessions.size };
    },
  };
}
