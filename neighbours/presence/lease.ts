/**
 * The owners of sessions, and their leases.
 *
 * The protocol does not name the chat server of a session and has no heartbeat. Presence only sees
 * where a `login` came from. This origin is the owner of the session. It is the host, because a
 * chat server spreads its requests over a pool of connections. On loopback all servers have the
 * same address, so the owner is the single connection.
 *
 * An owner with an open connection has a lease that is renewed all the time. When its last
 * connection has been closed for the length of a lease, its sessions end as if each had logged out.
 * A repeated `login` renews a session and makes the owner of that connection its new owner. A chat
 * server that lost connections therefore repeats the logins of its live sessions. A session ends 24
 * hours after its last `login` in any case.
 *
 * The leases are kept in the store. With several presence processes, each of them can end the
 * sessions of a chat server, or of a presence process, that died. A process ends no session before
 * it has run for a whole lease. After an outage of presence itself, the chat servers have that time
 * to return.
 */
export class Leases {
  readonly #instance: string;
  readonly #connections = new Map<string, number>();
  #opened = 0;

  /** @param instance name of this process, unique among the processes on the same store */
  constructor(instance: string) {
    this.#instance = instance;
  }

  /** A connection was opened. @returns its owner */
  open(address: string): string {
    this.#opened += 1;
    const owner = isLoopback(address) ? `conn:${this.#instance}:${this.#opened}` : `host:${address}`;
    this.#connections.set(owner, (this.#connections.get(owner) ?? 0) + 1);
    return owner;
  }

  /** A connection of the owner was closed. */
  close(owner: string): void {
    const left = (this.#connections.get(owner) ?? 1) - 1;
    if (left === 0) this.#connections.delete(owner);
    else this.#connections.set(owner, left);
  }

  /** Owners with an open connection to this process. */
  owners(): string[] {
    return [...this.#connections.keys()];
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address) || address === '';
}
