import type { Caller } from '../../src/application/commands.ts';
import type { ReplaySink } from '../../src/application/ports/local-subscribers.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import type { StoredEvent } from '../../src/domain/stored-event.ts';
import type { RunRecord } from './checker.ts';
import type { SimulatedClient, SimulatedServer } from './simulated-server.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A replay waits after this number of events. */
const FULL = 20;

/** A client with one subscription, which always resumes with the last number that it got. */
export class SimulatedSubscriber implements SimulatedClient {
  readonly name: string;
  readonly place: ConversationKey;
  last = 0;
  /** The server on which the subscription is live. */
  server: SimulatedServer | null = null;
  readonly #time: VirtualTime;
  readonly #record: (record: RunRecord) => void;
  #attempt = 0;

  constructor(name: string, place: ConversationKey, time: VirtualTime, record: (record: RunRecord) => void) {
    this.name = name;
    this.place = place;
    this.#time = time;
    this.#record = record;
  }

  delivered({ seq, id, nonce }: StoredEvent): void {
    this.last = seq;
    this.#record({ what: 'delivered', subscriber: this.name, place: this.place, seq, id, nonce });
  }

  leave(): void {
    this.server?.drop(this.place, this);
    this.server = null;
    this.#attempt += 1;
  }

  /** Resolves when the subscription is live, or after a timeout. */
  async join(server: SimulatedServer, timeoutMs: number): Promise<void> {
    this.leave();
    const attempt = this.#attempt;
    const isCurrent = (): boolean => attempt === this.#attempt && server.alive;
    let waiting = 0;
    const sink: ReplaySink = {
      admitted: () => {},
      event: (event) => {
        waiting += 1;
        if (isCurrent()) this.delivered(event);
      },
      get isFull() {
        return waiting >= FULL;
      },
      reset: (seq) => {
        if (!isCurrent()) return;
        this.last = seq;
        this.#record({ what: 'reset', subscriber: this.name, place: this.place, seq });
      },
      drained: () => {
        waiting = 0;
        return new Promise((resolve) => this.#time.after(5, () => server.gate(() => resolve(isCurrent()))));
      },
      live: () => {
        if (!isCurrent()) return;
        this.server = server;
        server.add(this.place, this);
      },
    };
    const live = new Promise<void>((resolve, reject) => {
      server.gate(() => {
        if (!isCurrent()) return;
        this.#record({ what: 'subscribed', subscriber: this.name, place: this.place, from: this.last });
        const request = { place: this.place, lastSeq: this.last, sink };
        (async () => (await server.app.subscribe(callerOf(1), request)).result)().then(() => resolve(), reject);
      });
    });
    await Promise.race([live.catch(() => undefined), this.#time.sleep(timeoutMs)]);
    if (isCurrent() && this.server === null) this.leave();
  }
}

export function callerOf(userId: number): Caller {
  return { userId, token: '', expiresAt: Number.POSITIVE_INFINITY };
}
