import type { SharedFrame } from './shared-frame.ts';

/**
 * One client, however it is connected: raw WebSocket, SockJS over WebSocket, or one of the SockJS HTTP transports.
 *
 * Sending never waits and never throws. What cannot leave at once is queued, up to a byte limit of the server; the
 * connection that passes it is closed with code 1008 and the reason `slow consumer`, nobody else is touched. After
 * {@link close}, or once the client is gone, everything sent is dropped.
 */
export interface Connection {
  /** The WebSocket sub-protocol agreed on, empty where there is none. */
  readonly protocol: string;
  /** The client's address as the server saw it when the connection began; empty if unknown. */
  readonly remoteAddress: string;
  /** The request headers that the server was told to keep (lower-case names); nothing else of the request survives. */
  readonly headers: Readonly<Record<string, string>>;
  /** How the client is connected, e.g. for metrics. */
  readonly transport: TransportName;
  /** False from the moment the connection is closing, whoever closes it. */
  readonly isOpen: boolean;
  /** Bytes not yet taken by the operating system: those queued here and those that the socket holds. */
  readonly bufferedBytes: number;

  /** Sends one text message. */
  send(text: string): void;
  /**
   * Sends a message built once for many connections.
   * @param head text of this connection's own that goes before the shared text, in the same message
   */
  sendShared(frame: SharedFrame, head?: string): void;
  /** Resolves once nothing is queued any more, or the connection is gone. Lets a long replay keep pace with its reader. */
  drained(): Promise<void>;
  /** Stops reading from the client; messages already read may still arrive. */
  pause(): void;
  resume(): void;
  /**
   * Closes after what was sent before; no message arrives any more.
   * @param code a WebSocket close code: 1000 to 4999, where a code that must not be sent becomes 1000 on the wire
   * @param reason at most 123 bytes of it reach a WebSocket client
   */
  close(code: number, reason: string): void;
}

/** What a connection tells its owner. Exceptions are caught, reported, and close the connection with code 1011. */
export interface ConnectionListener {
  /** One whole message: a string where the client sent text, a Buffer where it sent binary. */
  onMessage(message: string | Buffer): void;
  /**
   * Called exactly once, never from within a call to the connection.
   * @param code the close code: the one given to `close`, else the client's, 1006 where it just went away
   */
  onClose(code: number, reason: string): void;
}

export type TransportName =
  | 'raw-websocket'
  | 'websocket'
  | 'xhr'
  | 'xhr_streaming'
  | 'eventsource'
  | 'htmlfile'
  | 'jsonp';
