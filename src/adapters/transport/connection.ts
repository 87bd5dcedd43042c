import type { SharedFrame } from './shared-frame.ts';

/** Close reason of a connection with too many bytes waiting. */
export const SLOW_CONSUMER = 'slow consumer';
/** Close reason of a client that answered no pings. */
export const NO_ANSWER_TO_PINGS = 'no answer to pings';

/**
 * The connection to one client: a raw WebSocket, SockJS over WebSocket, or one of the SockJS HTTP
 * transports.
 *
 * Sending never waits and never throws. Messages that cannot leave at once are queued up to a limit
 * of bytes. Over the limit, this connection is closed with code 1008 and the reason `slow
 * consumer`; no other connection is affected. After {@link close}, or when the client is gone,
 * messages are dropped.
 */
export interface Connection {
  /** The WebSocket sub-protocol that was agreed on; empty for none. */
  readonly protocol: string;
  /** The client's address when the connection began; empty if unknown. */
  readonly remoteAddress: string;
  /** The request headers that the server was configured to keep, with lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The kind of the connection, e.g. for metrics. */
  readonly transport: TransportName;
  /** False as soon as either side closes the connection. */
  readonly isOpen: boolean;
  /**
   * Bytes that the operating system has not accepted yet: queued here, or in the socket's buffer.
   */
  readonly bufferedBytes: number;

  /** Sends one text message. */
  send(text: string): void;
  /**
   * Sends a message that was built once for many connections.
   * @param head text only for this connection, in front of the shared text of the same message
   */
  sendShared(frame: SharedFrame, head?: string): void;
  /** Resolves when nothing is queued, or the connection is gone. A long replay waits for it. */
  drained(): Promise<void>;
  /** Stops reading from the client. Messages that were read before may still arrive. */
  pause(): void;
  resume(): void;
  /**
   * Closes after everything that was sent before. No further message arrives.
   * @param code a WebSocket close code from 1000 to 4999; a code that must not be sent becomes 1000
   * @param reason a WebSocket client gets its first 123 bytes
   */
  close(code: number, reason: string): void;
}

/**
 * Gets the events of one connection. An exception is caught and reported, and closes the connection
 * with code 1011.
 */
export interface ConnectionListener {
  /** Called with one complete message: a string for a text message, a Buffer for a binary one. */
  onMessage(message: string | Buffer): void;
  /**
   * The client sent a message over the transport's limit. Its bytes are lost. The listener may
   * still send and close. Without it, or if it does not close, a WebSocket is closed with 1009.
   */
  onTooLarge?(): void;
  /**
   * Called exactly once, and never during a call to the connection.
   * @param code the code given to `close`, otherwise the client's; 1006 if the client went away
   * without one
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
