import { networkOf } from '../adapters/http/networks.ts';
import type { Connection, ConnectionListener } from '../adapters/transport/connection.ts';

const POLICY_VIOLATION = 1008;

/** Bounds how many connections one address has at a time; of IPv6 one network of 64 bits, as a single household has. */
export class AddressLimit {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The listener of a connection that is let in; one too many is closed with a reason. */
  admit(connection: Connection, accept: () => ConnectionListener): ConnectionListener {
    if (this.#most === Number.POSITIVE_INFINITY) return accept();
    const from = networkOf(connection.remoteAddress);
    const count = this.#counts.get(from) ?? 0;
    if (count >= this.#most) {
      connection.close(POLICY_VIOLATION, 'too many connections from one address');
      return { onMessage: () => {}, onClose: () => {} };
    }
    this.#counts.set(from, count + 1);
    const listener = accept();
    return {
      onMessage: (message) => listener.onMessage(message),
      onClose: (code, reason) => {
        const left = (this.#counts.get(from) ?? 1) - 1;
        if (left > 0) this.#counts.set(from, left);
        else this.#counts.delete(from);
        listener.onClose(code, reason);
      },
    };
  }
}
