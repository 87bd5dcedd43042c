import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { LocalSubscribers, Origin } from '../ports/local-subscribers.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Feed, type FeedParts, type HeldEvent } from './feed.ts';
import { LogHoles } from './log-holes.ts';
import { NewestReader } from './newest-reader.ts';
import type { Traces } from './sequencer.ts';

const IDLE_MS = 60_000;
const ROUND_MS = 2_000;
/** Time for which an event that is already in the store may still be on its way to the feed. */
const ON_ITS_WAY_MS = 500;
/** Feeds that are compared with the store in one round. */
const COMPARED_FEEDS = 500;
/** With this limit, ten thousand sessions and their rooms fit into a process of 256 MB. */
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;

type HeldRecord = readonly [seq: number, event: HeldEvent, origin: Origin | null];

interface OpeningFeed {
  readonly held: HeldRecord[];
  readonly opened: Promise<Feed>;
}

export interface FeedsParts {
  readonly store: MessageStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly subscribers: LocalSubscribers;
  /** Called for an event of another server that the store has and that was not heard. */
  readonly unheard: (place: ConversationKey, seq: number) => void;
  /** Events that a resume may replay, at most. */
  readonly window: number;
}

/** The feeds of the places that a client of this server listens to, or did a short while ago. */
export class Feeds {
  readonly #parts: FeedsParts;
  readonly #open = new Map<ConversationKey, Feed>();
  readonly #opening = new Map<ConversationKey, OpeningFeed>();
  readonly #newest: NewestReader;
  readonly #feedParts: FeedParts;
  #rememberedBytes = 0;
  #round: Timer | null = null;
  #compareFrom = 0;
  #stopped = false;

  constructor(parts: FeedsParts) {
    this.#parts = parts;
    this.#newest = new NewestReader(parts.store, parts.clock);
    const { store, clock, telemetry, subscribers, window } = parts;
    this.#feedParts = {
      store,
      newest: this.#newest,
      holes: new LogHoles(parts),
      clock,
      telemetry,
      window,
      deliver: (place, event, origin) => subscribers.deliver(place, event, origin),
      remembered: (place, change) => {
        this.#rememberedBytes += change;
        // Many long replays at once could use too much memory before the next round.
        if (change > 0 && this.#rememberedBytes > 2 * MAX_REMEMBERED_BYTES) this.#forgetRecent(place);
      },
    };
  }

  start(): void {
    this.#round = this.#parts.clock.after(ROUND_MS, () => {
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

  /** Memory of the remembered events of all feeds, in bytes (an estimate). */
  get rememberedBytes(): number {
    return this.#rememberedBytes;
  }

  /** The place's feed if it is open. */
  get(place: ConversationKey): Feed | undefined {
    return this.#open.get(place);
  }

  /** Drops the remembered events of all places. They are read again when they are needed. */
  forgetAll(): void {
    for (const feed of this.#open.values()) feed.forgetRecent();
  }

  /**
   * Opens the place's feed at the store's newest number. Nothing that is stored from now on is
   * missed. Many calls at the same time share a query. Rejects with Refusal `try-again`.
   */
  open(place: ConversationKey): Promise<Feed> {
    const feed = this.#open.get(place);
    if (feed !== undefined) return Promise.resolve(feed);
    const opening = this.#opening.get(place);
    if (opening !== undefined) return opening.opened;
    const held: HeldRecord[] = [];
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

  /**
   * Takes events that the store has: appended by this server, or found in the outbox.
   * @param since for each event the monotonic time at which its command was read; without it, the
   * events are not measured
   * @param traces for each event its position in a trace
   */
  stored(
    place: ConversationKey,
    events: readonly SequencedEvent[],
    since?: readonly number[],
    traces: Traces = null,
  ): void {
    for (const [i, event] of events.entries()) {
      const began = since?.[i];
      const trace = traces?.[i] ?? null;
      const origin: Origin | null =
        began === undefined
          ? null
          : trace === null
            ? { path: 'local', since: began }
            : { path: 'local', since: began, trace };
      this.receive(place, event.seq, () => event, origin);
    }
  }

  /**
   * Takes an event that was stored here or heard from another server. Does nothing where no client
   * listens.
   */
  receive(place: ConversationKey, seq: number, event: HeldEvent, origin: Origin | null = null): void {
    const feed = this.#open.get(place);
    if (feed !== undefined) feed.receive(seq, event, origin);
    else this.#opening.get(place)?.held.push([seq, event, origin]);
  }

  /** True where a client of this server may want events of the place. */
  listens(place: ConversationKey): boolean {
    return this.#open.has(place) || this.#opening.has(place);
  }

  #opened(place: ConversationKey, position: number, held: readonly HeldRecord[]): Feed {
    // Both maps change in the same tick. Otherwise an event that arrives in between would be lost.
    this.#opening.delete(place);
    const feed = new Feed(place, position, this.#feedParts);
    this.#open.set(place, feed);
    for (const [seq, event, origin] of held) feed.receive(seq, event, origin);
    return feed;
  }

  #closeIdle(): void {
    const now = this.#parts.clock.monotonic();
    for (const [place, feed] of this.#open) {
      if (this.#parts.subscribers.count(place) > 0) feed.usedAt = now;
      else if (now - feed.usedAt > IDLE_MS) {
        this.#open.delete(place);
        feed.close();
      }
    }
    if (this.#rememberedBytes > MAX_REMEMBERED_BYTES) this.#forgetRecent(null);
  }

  /**
   * Drops remembered events until half of the limit is left. @param except the place whose events
   * are in use now
   */
  #forgetRecent(except: ConversationKey | null): void {
    for (const [place, feed] of this.#open) {
      if (place !== except) feed.forgetRecent();
      if (this.#rememberedBytes <= MAX_REMEMBERED_BYTES / 2) return;
    }
  }

  /**
   * Finds a lost record that no later record of its place reveals: compares feeds with the store,
   * some of them in each round.
   */
  async #compare(): Promise<void> {
    const places = [...this.#open.keys()];
    if (places.length === 0) return;
    if (this.#compareFrom >= places.length) this.#compareFrom = 0;
    const some = places.slice(this.#compareFrom, this.#compareFrom + COMPARED_FEEDS);
    this.#compareFrom += some.length;
    const { store, clock, telemetry, unheard } = this.#parts;
    try {
      const newest = await store.newest(some);
      await new Promise<void>((resolve) => clock.after(ON_ITS_WAY_MS, resolve));
      for (const place of some) {
        const feed = this.#open.get(place);
        const seq = newest.get(place) ?? 0;
        if (feed === undefined || feed.position >= seq) continue;
        unheard(place, seq);
        await feed.fill();
      }
    } catch (error) {
      telemetry.log('debug', 'feeds could not be compared with the store', { error });
    }
  }
}
