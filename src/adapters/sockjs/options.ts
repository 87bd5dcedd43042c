import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection, ConnectionListener } from '../transport/connection.ts';
import type { ConnectionHost } from './guarded-listener.ts';
import type { Identity } from './identity.ts';
import type { LiveConnection, Wheel } from './wheel.ts';

/** Options of a SockJS service. */
export interface SockJsOptions {
  /** Path of the service without a slash at the end, e.g. `/my-chat`. */
  readonly prefix: string;
  /** Called once a connection is open and can send. The returned listener hears all its events. */
  readonly onConnection: (connection: Connection) => ConnectionListener;
  /**
   * Called with an exception of a listener or of `onConnection`. The connection is closed with
   * 1011. Default: does nothing.
   */
  readonly onError?: (error: unknown) => void;
  /**
   * Bytes after which a streaming response ends and the client sends the next request. Default:
   * 131072.
   */
  readonly responseLimit?: number;
  /**
   * Milliseconds between heart-beats: SockJS `h` frames, and pings on every WebSocket. Default:
   * 25000.
   */
  readonly heartbeatDelay?: number;
  /** Milliseconds that an HTTP session lives without a receiver. Default: 5000. */
  readonly disconnectDelay?: number;
  /** Milliseconds that a WebSocket client has to answer a close. Default: 5000. */
  readonly closeTimeout?: number;
  /** Whether WebSockets are offered. Default: true. */
  readonly websocket?: boolean;
  /** Takes over upgrade requests of a WebSocket version other than RFC 6455. Default: none. */
  readonly otherHandshake?: OtherHandshake;
  /**
   * Whether session answers set the `JSESSIONID` cookie, which some load balancers need. Default:
   * false.
   */
  readonly cookieNeeded?: boolean;
  /**
   * Bytes of one incoming message on the wire: one WebSocket message, or one HTTP body. Default:
   * 131072.
   */
  readonly maxPayload?: number;
  /** Bytes that may wait for one client, including the buffer of its socket. Default: 1048576. */
  readonly maxQueuedBytes?: number;
  /** HTTP sessions at one time. Further ones are refused with 503. Default: 10000. */
  readonly maxSessions?: number;
  /**
   * Whether a page of that origin may use the service. `origin` is undefined if the client sent
   * none. Default: all may.
   */
  readonly allowOrigin?: (origin: string | undefined, request: IncomingMessage) => boolean;
  /** Chooses a sub-protocol of those offered; undefined for none. Default: none. */
  readonly selectProtocol?: (offered: ReadonlySet<string>) => string | undefined;
  /** The client's address. Default: the peer of the socket. */
  readonly addressOf?: (request: IncomingMessage) => string;
  /** Lower-case names of request headers that a connection keeps. Default: none. */
  readonly keepHeaders?: readonly string[];
  /** URL of the SockJS client script that the iframe page loads. Default: 1.x on jsDelivr. */
  readonly sockjsUrl?: string;
}

/** An upgrade request for a raw or SockJS WebSocket that the service would accept. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** Bytes that arrived behind the request. */
  readonly head: Buffer;
  /** False: a raw WebSocket. */
  readonly isSockJs: boolean;
  readonly identity: Identity;
  readonly host: ConnectionHost & { readonly maxPayload: number };
  readonly wheel: Wheel<LiveConnection>;
}

/** @returns false, with nothing done, if the request is not of this version either */
export type OtherHandshake = (upgrade: Upgrade) => boolean;

export type Settings = Required<SockJsOptions>;

const CLIENT_SCRIPT = 'https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js';

export function settingsOf(options: SockJsOptions): Settings {
  return {
    onError: () => {},
    responseLimit: 128 * 1024,
    heartbeatDelay: 25_000,
    disconnectDelay: 5_000,
    closeTimeout: 5_000,
    websocket: true,
    otherHandshake: () => false,
    cookieNeeded: false,
    maxPayload: 128 * 1024,
    maxQueuedBytes: 1024 * 1024,
    maxSessions: 10_000,
    allowOrigin: () => true,
    selectProtocol: () => undefined,
    addressOf: (request) => request.socket.remoteAddress ?? '',
    keepHeaders: [],
    sockjsUrl: CLIENT_SCRIPT,
    ...options,
  };
}
