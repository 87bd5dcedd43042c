import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Feed, type FeedParts, type HeldEvent } from './feed.ts';
import { NewestReader } from './newest-reader.ts';

const IDLE_MS = 60_000;
const ROUND_MS = 2_000;
/** Feeds compared with the store in one round: a lost record with none behind it is noticed by nothing else. */
const COMPARED = 500;
/** With it, ten thousand sessions and their rooms fit into a process of 256 MB. */
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;

interface Opening {
  readonly held: [number, HeldEvent][];
  readonly opened: Promise<Feed>;
}

/** The feeds of those places that somebody on this server listens to, or did a short while ago. */
export class Feeds {
  readonly #store: MessageStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #subscribers: LocalSubscribers;
  readonly #window: number;
  readonly #open = new Map<ConversationKey, Feed>();
  readonly #opening = new Map<ConversationKey, Opening>();
  readonly #newest: NewestReader;
  #remembered = 0;
  #round: Timer | null = null;
  #compareFrom = 0;
  #stopped = false;

  constructor(parts: {
    store: MessageStore;
    clock: Clock;
    telemetry: Telemetry;
    subscribers: LocalSubscribers;
    window: number;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#subscribers = parts.subscribers;
    this.#window = parts.window;
    this.#newest = new NewestReader(parts.store, parts.clock);
  }

  start(): void {
    this.#round = this.#clock.after(ROUND_MS, () => {
      this.#closeIdle();
      void this.#compare().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#round?.cancel();
    for (const feed of this.#open.values()) feed.close();
    this.#open.clear();
  }

  /** What the remembered events of all feeds take, in bytes, about. */
  get rememberedBytes(): number {
    return this.#remembered;
  }

  /** The place's feed if it is open: at once, for those who are in a hurry. */
  get(place: ConversationKey): Feed | undefined {
    return this.#open.get(place);
  }

  /**
   * Opens the place's feed at the store's newest number; nothing that is stored from now on is missed. Many at once share a query.
   * Rejects with Refusal `try-again`.
   */
  open(place: ConversationKey): Promise<Feed> {
    const feed = this.#open.get(place);
    if (feed !== undefined) return Promise.resolve(feed);
    const opening = this.#opening.get(place);
    if (opening !== undefined) return opening.opened;
    const held: [number, HeldEvent][] = [];
    const opened = this.#newest.ask(place).then(
      (position) => this.#opened(place, position, held),
      (error: unknown) => {
        this.#opening.delete(place);
        throw error;
      },
    );
    this.#opening.set(place, { held, opened });
    return opened;
  }

  /** An event of that place was stored here or heard from elsewhere. Costs nothing where nobody listens. */
  receive(place: ConversationKey, seq: number, event: HeldEvent): void {
    const feed = this.#open.get(place);
    if (feed !== undefined) feed.receive(seq, event);
    else this.#opening.get(place)?.held.push([seq, event]);
  }

  /** True where an event of that place has somebody to hear it. */
  listens(place: ConversationKey): boolean {
    return this.#open.has(place) || this.#opening.has(place);
  }

  #opened(place: ConversationKey, position: number, held: readonly [number, HeldEvent][]): Feed {
    // In one tick with the feed's beginning: what comes in between would be lost.
    this.#opening.delete(place);
    const parts: FeedParts = {
      store: this.#store,
      newest: this.#newest,
      clock: this.#clock,
      telemetry: this.#telemetry,
      window: this.#window,
      deliver: (event: StoredEvent) => this.#subscribers.deliver(place, event),
      remembered: (change) => {
        this.#remembered += change;
        // Many long histories at once don't wait for the next round.
        if (change > 0 && this.#remembered > 2 * MAX_REMEMBERED_BYTES) this.#forgetTails(place);
      },
    };
    const feed = new Feed(place, position, parts);
    this.#open.set(place, feed);
    for (const [seq, event] of held) feed.receive(seq, event);
    return feed;
  }

  #closeIdle(): void {
    const now = this.#clock.now();
    for (const [place, feed] of this.#open) {
      if (this.#subscribers.count(place) > 0) feed.usedAt = now;
      else if (now - feed.usedAt > IDLE_MS) {
        this.#open.delete(place);
        feed.close();
      }
    }
    if (this.#remembered > MAX_REMEMBERED_BYTES) this.#forgetTails(null);
  }

  /** @param but the place whose events are in use now */
  #forgetTails(but: ConversationKey | null): void {
    for (const [place, feed] of this.#open) {
      if (place !== but) feed.forgetTail();
      if (this.#remembered <= MAX_REMEMBERED_BYTES / 2) return;
    }
  }

  /** Looks in turn whether feeds have missed something that nothing came behind. */
  async #compare(): Promise<void> {
    const places = [...this.#open.keys()];
    if (places.length === 0) return;
    if (this.#compareFrom >= places.length) this.#compareFrom = 0;
    const some = places.slice(this.#compareFrom, this.#compareFrom + COMPARED);
    this.#compareFrom += some.length;
    try {
      const newest = await this.#store.newest(some);
      // What is behind now may be on its way: it counts as missed when the next look finds it still missing.
      await new Promise<void>((resolve) => this.#clock.after(500, resolve));
      for (const place of some) {
        const feed = this.#open.get(place);
        if (feed !== undefined && feed.position < (newest.get(place) ?? 0)) await feed.fill();
      }
    } catch (error) {
      this.#telemetry.log('debug', 'feeds not compared', { reason: String(error) });
    }
  }
}
