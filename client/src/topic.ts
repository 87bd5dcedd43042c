import type { Body, Connection, LiveSubscription } from './connection.ts';
import { isFinal, Refused } from './errors.ts';
import { Listeners } from './store.ts';
import { after, Backoff } from './timing.ts';

const NOT_PERMITTED = 2103;

/**
 * - `idle`: nobody listens, or there is no connection.
 * - `opening`: SUBSCRIBE was sent, or is sent again after a pause.
 * - `live`: its RECEIPT has come, so everything that was missed has come too.
 * - `refused`: the user may not read there. It stays so until `restart`.
 */
export type TopicState = 'idle' | 'opening' | 'live' | 'refused';

/**
 * One destination of the server. All listeners share one subscription, which follows reconnects.
 */
export class Topic {
  readonly #connection: Connection;
  readonly #destination: string;
  readonly #backoff: Backoff;
  readonly #removeLink: () => void;
  #open: LiveSubscription | null = null;
  #cancelRetry = () => {};
  state: TopicState = 'idle';
  refusal: Refused | null = null;
  /** The number after which a subscription resumes; null: it begins live. */
  resumeFrom: () => number | null = () => null;
  readonly #messages = new Listeners<[Body]>();
  readonly onState = new Listeners<[TopicState]>();

  constructor(connection: Connection, destination: string, random: () => number) {
    this.#connection = connection;
    this.#destination = destination;
    this.#backoff = new Backoff(500, 15_000, random);
    this.#removeLink = connection.onLink.add((isOnline) => {
      if (isOnline) {
        // Another listener of the link may have caused the subscription already.
        if (this.#open === null) this.#subscribe();
        return;
      }
      this.#drop();
      if (this.state !== 'refused') this.#set('idle');
    });
  }

  /** Subscribes for the first listener, and unsubscribes after the last one. */
  listen(listener: (body: Body) => void): () => void {
    const remove = this.#messages.add(listener);
    if (this.state === 'idle') this.#subscribe();
    return () => {
      remove();
      if (this.#messages.size > 0) return;
      this.#open?.cancel();
      this.#drop();
      this.#set('idle');
    };
  }

  /**
   * Subscribes anew, for instance after a gap. Nothing of the old subscription is heard any more.
   */
  restart(): void {
    this.#open?.cancel();
    this.#drop();
    this.refusal = null;
    this.#set('idle');
    this.#subscribe();
  }

  dispose(): void {
    this.#removeLink();
    this.#drop();
  }

  #drop(): void {
    this.#cancelRetry();
    this.#open = null;
  }

  #subscribe(): void {
    if (this.#messages.size === 0 || !this.#connection.isOnline || this.state === 'refused') return;
    const open = this.#connection.subscribe(this.#destination, this.resumeFrom(), (body) => {
      if (open !== this.#open) return;
      if (body.type === 'removed') this.#refused(new Refused(NOT_PERMITTED, 'you were removed from this place'));
      this.#messages.emit(body);
    });
    this.#open = open;
    this.#set('opening');
    open.ready.then(
      () => {
        if (open !== this.#open) return;
        this.#backoff.reset();
        this.#set('live');
      },
      (error) => {
        if (open !== this.#open) return;
        this.#drop();
        if (isFinal(error)) this.#refused(error);
        else if (error instanceof Refused)
          this.#cancelRetry = after(this.#backoff.next(error), () => this.#subscribe());
        else this.#connection.restart(error.message);
      },
    );
  }

  #refused(refusal: Refused): void {
    this.#drop();
    this.refusal = refusal;
    this.#set('refused');
  }

  #set(state: TopicState): void {
    if (this.state === state) return;
    this.state = state;
    this.onState.emit(state);
  }
}
