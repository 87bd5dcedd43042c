import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpEndpoints } from './http-endpoints.ts';
import { type SockJsOptions, settingsOf } from './options.ts';
import { routeOf } from './route.ts';
import { SessionTable } from './session-table.ts';
import { WebSocketEndpoint } from './web-socket-endpoint.ts';

/** A SockJS 0.3 service with a raw WebSocket, for any `node:http` server. */
export interface SockJs {
  /**
   * Answers a request under the prefix. For any other request it does nothing and returns false.
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /**
   * True for an upgrade to a WebSocket under the prefix. Any other is to be answered as a request
   * without an upgrade.
   */
  acceptsUpgrade(request: IncomingMessage): boolean;
  /**
   * Accepts or refuses an upgrade under the prefix. For any other it does nothing and returns
   * false.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /**
   * Closes every connection with that code and refuses new ones. HTTP clients learn of it with
   * their next request.
   */
  close(code: number, reason: string): void;
  /** Open WebSockets, and HTTP sessions including closed ones that are not yet removed. */
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
      if (route === null) return false;
      http.handle(route, request, response);
      return true;
    },
    acceptsUpgrade: (request) =>
      request.headers.upgrade?.toLowerCase() === 'websocket' && routeOf(request.url ?? '', settings.prefix) !== null,
    handleUpgrade(request, socket, head) {
      const route = routeOf(request.url ?? '', settings.prefix);
      if (route === null) return false;
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
