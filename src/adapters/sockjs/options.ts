import type { IncomingMessage } from 'node:http';
import type { Connection, ConnectionListener } from '../transport/connection.ts';

export interface SockJsOptions {
  /** Where the service is mounted, e.g. `/my-chat`; no slash at the end. */
  readonly prefix: string;
  /** Called once a connection is open, sending included; the returned listener hears everything of it. */
  readonly onConnection: (connection: Connection) => ConnectionListener;
  /** Hears what a listener or `onConnection` threw; the connection in question is closed with 1011. */
  readonly onError?: (error: unknown) => void;
  /** Bytes after which a streaming response ends and the client asks anew. 131072 */
  readonly responseLimit?: number;
  /** Milliseconds between heart-beats: SockJS `h` frames, and pings on every WebSocket. 25000 */
  readonly heartbeatDelay?: number;
  /** Milliseconds that an HTTP session lives without a receiver. 5000 */
  readonly disconnectDelay?: number;
  /** Milliseconds that a WebSocket client has to answer a close. 5000 */
  readonly closeTimeout?: number;
  /** Whether WebSockets are offered at all. true */
  readonly websocket?: boolean;
  /** Whether the WebSocket drafts before RFC 6455 with two keys (hixie-76) are accepted. false */
  readonly legacyWebSocket?: boolean;
  /** Whether session answers set the `JSESSIONID` cookie, which some load balancers stick by. false */
  readonly cookieNeeded?: boolean;
  /** Bytes of one incoming message as it is on the wire: one WebSocket message, or one HTTP body. 131072 */
  readonly maxPayload?: number;
  /** Bytes that may wait for one client, the socket's buffer counted. 1048576 */
  readonly maxQueuedBytes?: number;
  /** HTTP sessions at one time; further ones get 503. 10000 */
  readonly maxSessions?: number;
  /** Whether a page of that origin may use the service; `origin` is undefined where the client sent none. All may. */
  readonly allowOrigin?: (origin: string | undefined, request: IncomingMessage) => boolean;
  /** The sub-protocol to use of those offered, undefined for none. None. */
  readonly selectProtocol?: (offered: ReadonlySet<string>) => string | undefined;
  /** The client's address. The socket's peer. */
  readonly addressOf?: (request: IncomingMessage) => string;
  /** Names of request headers that a connection keeps, lower-case. None. */
  readonly keepHeaders?: readonly string[];
  /** The SockJS client script that the iframe page loads. */
  readonly sockjsUrl?: string;
}

export type Settings = Required<SockJsOptions>;

const defaultClient = 'https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js';

export function settingsOf(options: SockJsOptions): Settings {
  return {
    onError: () => {},
    responseLimit: 128 * 1024,
    heartbeatDelay: 25_000,
    disconnectDelay: 5_000,
    closeTimeout: 5_000,
    websocket: true,
    legacyWebSocket: false,
    cookieNeeded: false,
    maxPayload: 128 * 1024,
    maxQueuedBytes: 1024 * 1024,
    maxSessions: 10_000,
    allowOrigin: () => true,
    selectProtocol: () => undefined,
    addressOf: (request) => request.socket.remoteAddress ?? '',
    keepHeaders: [],
    sockjsUrl: defaultClient,
    ...options,
  };
}
