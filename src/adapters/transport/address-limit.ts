import type { Connection, ConnectionListener } from './connection.ts';
import { networkOf } from './networks.ts';

const POLICY_VIOLATION = 1008;

/**
 * Limits the connections that one address has at a time. The first 64 bits of an IPv6 address count
 * as one address, because a single household has that many.
 */
export class AddressLimit {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  readonly #onRefused: () => void;

  /**
   * @param max Infinity: no limit
   * @param onRefused called for each connection that is closed at once
   */
  constructor(max: number, onRefused: () => void = () => {}) {
    this.#max = max;
    this.#onRefused = onRefused;
  }

  /** Calls `accept` if the address has room. Otherwise the connection is closed with 1008. */
  admit(connection: Connection, accept: () => ConnectionListener): ConnectionListener {
    if (this.#max === Number.POSITIVE_INFINITY) return accept();
    const address = networkOf(connection.remoteAddress);
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#max) {
      this.#onRefused();
      connection.close(POLICY_VIOLATION, 'too many connections from one address');
      return { onMessage: () => {}, onClose: () => {} };
    }
    this.#counts.set(address, count + 1);
    const listener = accept();
    return {
      onMessage: (message) => listener.onMessage(message),
      onTooLarge: () => listener.onTooLarge?.(),
      onClose: (code, reason) => {
        const left = (this.#counts.get(address) ?? 1) - 1;
        if (left > 0) this.#counts.set(address, left);
        else this.#counts.delete(address);
        listener.onClose(code, reason);
      },
    };
  }
}
