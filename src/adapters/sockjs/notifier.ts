import type { Connection, ConnectionListener } from '../transport/connection.ts';

/** What both kinds of connections need of the server that they belong to. */
export interface Host {
  readonly maxQueuedBytes: number;
  readonly onConnection: (connection: Connection) => ConnectionListener;
  readonly onError: (error: unknown) => void;
}

/** The two ways to one listener: what it throws is reported, and its end is told later. */
export class Notifier {
  readonly #host: Host;
  #listener: ConnectionListener | undefined;

  constructor(host: Host) {
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

  /** Tells the listener of the end, after what runs now, and lets go of it. To be called once. */
  over(code: number, reason: string): void {
    process.nextTick(tellEnd, this, code, reason);
  }

  tellEnd(code: number, reason: string): void {
    const listener = this.#listener;
    this.#listener = undefined;
    try {
      listener?.onClose(code, reason);
    } catch (error) {
      this.#host.onError(error);
    }
  }
}

function tellEnd(notifier: Notifier, code: number, reason: string): void {
  notifier.tellEnd(code, reason);
}
