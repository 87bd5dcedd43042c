import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Server, WebSocketServer } from 'ws';
import { STATUS_CODES } from '../support/node-http.ts';
import { identityOf } from './identity.ts';
import type { Settings, Upgrade } from './options.ts';
import type { Route } from './route.ts';
import { SockJsWebSocketConnection } from './sock-js-web-socket-connection.ts';
import { ServerWebSocket, WebSocketConnection } from './web-socket-connection.ts';
import { type LiveConnection, Wheel } from './wheel.ts';

/** Accepts upgrade requests as raw and SockJS WebSocket connections. */
export class WebSocketEndpoint {
  readonly #settings: Settings;
  readonly #server: Server<typeof ServerWebSocket>;
  readonly #wheel: Wheel<LiveConnection>;
  #isClosing = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#wheel = new Wheel<LiveConnection>(settings.heartbeatDelay);
    const options = {
      noServer: true,
      WebSocket: ServerWebSocket,
      perMessageDeflate: false,
      clientTracking: false,
      skipUTF8Validation: false,
      maxPayload: settings.maxPayload,
      // An option of ws that its types do not have.
      closeTimeout: settings.closeTimeout,
      handleProtocols: (offered: Set<string>) => settings.selectProtocol(offered) ?? false,
    };
    this.#server = new WebSocketServer(options);
  }

  get size(): number {
    return this.#wheel.size;
  }

  handle(route: Route, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const settings = this.#settings;
    const isRaw = route.kind === 'raw-websocket' || route.kind === 'greeting';
    const isSockJs = route.kind === 'session' && route.endpoint === 'websocket';
    const origin = request.headers.origin ?? headerOf(request, 'sec-websocket-origin');
    if (!settings.allowOrigin(origin, request)) reject(socket, 403);
    else if (!(isRaw || isSockJs) || !settings.websocket || !(socket instanceof Socket)) reject(socket, 404);
    else if (request.method !== 'GET') reject(socket, 405, 'Allow: GET');
    else if (request.headers.upgrade?.toLowerCase() !== 'websocket') reject(socket, 400);
    else if (this.#isClosing) reject(socket, 503);
    else this.#accept(isSockJs, request, socket, head);
  }

  closeAll(code: number, reason: string): void {
    this.#isClosing = true;
    for (const connection of this.#wheel.items()) connection.close(code, reason);
  }

  #accept(isSockJs: boolean, request: IncomingMessage, socket: Socket, head: Buffer): void {
    const settings = this.#settings;
    const identity = identityOf(request, settings);
    const upgrade: Upgrade = { request, socket, head, isSockJs, identity, host: settings, wheel: this.#wheel };
    if (settings.otherHandshake(upgrade)) return;
    this.#server.handleUpgrade(request, socket, head, (ws) => connect(ws, upgrade));
  }
}

function connect(ws: ServerWebSocket, upgrade: Upgrade): void {
  const Kind = upgrade.isSockJs ? SockJsWebSocketConnection : WebSocketConnection;
  new Kind(ws, upgrade).open();
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function ignoreError(): void {}

/** Answers an upgrade request with an error and closes the socket. */
function reject(socket: Duplex, status: number, ...headers: readonly string[]): void {
  socket.on('error', ignoreError);
  socket.once('finish', () => socket.destroy());
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close', 'Content-Length: 0', ...headers];
  socket.end(`${lines.join('\r\n')}\r\n\r\n`);
}
