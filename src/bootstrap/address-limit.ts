import type { Connection, ConnectionListener } from '../adapters/transport/connection.ts';

const POLICY_VIOLATION = 1008;

/** Bounds how many connections one address has at a time. */
export class AddressLimit {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The listener of a connection that is let in; one too many is closed with a reason. */
  admit(connection: Connection, accept: () => ConnectionListener): ConnectionListener {
    if (this.#most === Number.POSITIVE_INFINITY) return accept();
    const { remoteAddress } = connection;
    const count = this.#counts.get(remoteAddress) ?? 0;
    if (count >= this.#most) {
      connection.close(POLICY_VIOLATION, 'too many connections from one address');
      return { onMessage: () => {}, onClose: () => {} };
    }
    this.#counts.set(remoteAddress, count + 1);
    const listener = accept();
    return {
      onMessage: (message) => listener.onMessage(message),
      onClose: (code, reason) => {
        const left = (this.#counts.get(remoteAddress) ?? 1) - 1;
        if (left > 0) this.#counts.set(remoteAddress, left);
        else this.#counts.delete(remoteAddress);
        listener.onClose(code, reason);
      },
    };
  }
}
