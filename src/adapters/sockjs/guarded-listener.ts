import type { Connection, ConnectionListener } from '../transport/connection.ts';

/** The parts of the service that every connection needs. */
export interface ConnectionHost {
  readonly maxQueuedBytes: number;
  readonly onConnection: (connection: Connection) => ConnectionListener;
  readonly onError: (error: unknown) => void;
}

/**
 * Calls the listener of one connection. An exception of the listener is reported and closes the
 * connection with 1011.
 */
export class GuardedListener {
  readonly #host: ConnectionHost;
  #listener: ConnectionListener | null = null;

  constructor(host: ConnectionHost) {
    this.#host = host;
  }

  /** Introduces the connection to the application. */
  open(connection: Connection): void {
    try {
      this.#listener = this.#host.onConnection(connection);
    } catch (error) {
      this.#host.onError(error);
      connection.close(1011, 'internal error');
    }
  }

  message(connection: Connection, message: string | Buffer): void {
    try {
      this.#listener?.onMessage(message);
    } catch (error) {
      this.#host.onError(error);
      connection.close(1011, 'internal error');
    }
  }

  /** Reports a message over the limit. */
  tooLarge(connection: Connection): void {
    try {
      this.#listener?.onTooLarge?.();
    } catch (error) {
      this.#host.onError(error);
      connection.close(1011, 'internal error');
    }
  }

  /** Reports the end in the next tick and releases the listener. To be called once. */
  end(code: number, reason: string): void {
    process.nextTick(reportEnd, this, code, reason);
  }

  /** Reports the end now. */
  reportEnd(code: number, reason: string): void {
    const listener = this.#listener;
    this.#listener = null;
    try {
      listener?.onClose(code, reason);
    } catch (error) {
      this.#host.onError(error);
    }
  }
}

function reportEnd(listener: GuardedListener, code: number, reason: string): void {
  listener.reportEnd(code, reason);
}
