/**
 * Who is answerable for a session, and when presence gives it up.
 *
 * The protocol does not name the chat server that a session belongs to, and has no heart-beat. What presence does see is
 * where a `login` came from; that is the session's *owner*: the host, since a server spreads its requests over a pool of
 * connections. On loopback, where the address tells several servers apart no more, the owner is the single connection.
 * An owner with a connection open has a lease, renewed all the time; when his last connection has been gone for
 * the length of a lease, his sessions end as if each had logged out. A repeated `login` of a session renews it and makes
 * the connection's owner the new owner, so a chat server that lost connections repeats the logins of its live sessions.
 * A session ends 24 hours after its last `login` in any case.
 *
 * The leases stand in the store, so that with several presence processes any of them can give up what belonged to a
 * server, or to a presence process, that died. A process gives nothing up before it has run for a whole lease: after an
 * outage of presence itself the chat servers have that long to come back.
 */
export class Leases {
  readonly #instance: string;
  readonly #connections = new Map<string, number>();
  #opened = 0;

  /** @param instance a name of this process that no other one on the same store has */
  constructor(instance: string) {
    this.#instance = instance;
  }

  /** @returns the owner for a new connection from an address */
  open(address: string): string {
    this.#opened += 1;
    const owner = isLoopback(address) ? `conn:${this.#instance}:${this.#opened}` : `host:${address}`;
    this.#connections.set(owner, (this.#connections.get(owner) ?? 0) + 1);
    return owner;
  }

  close(owner: string): void {
    const left = (this.#connections.get(owner) ?? 1) - 1;
    if (left === 0) this.#connections.delete(owner);
    else this.#connections.set(owner, left);
  }

  /** Owners with a connection open here. */
  owners(): string[] {
    return [...this.#connections.keys()];
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address) || address === '';
}
