import { Refusal } from '../../domain/errors.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { blanked, type SequencedEvent, type StoredEvent, withoutDeleted } from '../../domain/stored-event.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { NewestReader } from './newest-reader.ts';

/** How an event of a later number than expected is kept: decoded only when its turn comes. */
export type HeldEvent = () => SequencedEvent | null;

export interface FeedParts {
  readonly store: MessageStore;
  readonly newest: NewestReader;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Hands an event to the live subscriptions of the place. */
  readonly deliver: (event: StoredEvent) => void;
  /** Told when the memory that remembered events take changes, in bytes, about. */
  readonly remembered: (change: number) => void;
  /** Events that a resume may replay at most. */
  readonly window: number;
}

/** How long an event waits for those before it that travel on another topic, before they are read from the store. */
const HOLD_MS = 150;
const RETRY_MS = 500;
const MAX_HELD = 2_000;
const READ = 500;
const MAX_CATCH_UP = 5;
/** Events kept of a feed to which nobody comes back; a resume makes it keep more, up to the window. */
const SHORT_TAIL = 128;
const LONG_TAIL_MS = 30_000;

/**
 * One place's events on this server, handed out in order, each once. What comes early is held for a short time; then what is missing is read from the store.
 * The newest events are remembered, so that many who come back at once are served without asking the store each time.
 */
export class Feed {
  readonly place: ConversationKey;
  readonly #parts: FeedParts;
  /** Number of the last event that was handed out. */
  #position: number;
  readonly #held = new Map<number, HeldEvent>();
  #timer: Timer | null = null;
  #reading: Promise<void> | null = null;
  #closed = false;
  /** Consecutive events that end at `#position`, those of deleted messages blanked. */
  #tail: SequencedEvent[] = [];
  #tailBytes = 0;
  #tailRead: Promise<void> | null = null;
  #longTailUntil = 0;
  /** When somebody last had use of it, for the one who closes idle feeds. */
  usedAt: number;

  constructor(place: ConversationKey, position: number, parts: FeedParts) {
    this.place = place;
    this.#position = position;
    this.#parts = parts;
    this.usedAt = parts.clock.now();
  }

  get position(): number {
    return this.#position;
  }

  /** Takes an event that was stored or heard, in any order, any number of times. */
  receive(seq: number, event: HeldEvent): void {
    if (seq <= this.#position || this.#closed) return;
    if (seq === this.#position + 1) {
      const next = event();
      if (next !== null) {
        this.#handOut(next);
        if (this.#held.size > 0) this.#handOutHeld();
        return;
      }
      // Undecodable on the bus: the store has it.
    } else if (this.#held.size < MAX_HELD) {
      this.#held.set(seq, event);
    }
    this.#waitForGap();
  }

  /** Reads up to the store's newest, where this server may have heard less. @throws Refusal `try-again` */
  async catchUp(): Promise<void> {
    const newest = await this.#parts.newest.ask(this.place);
    // A read that was under way when we asked may have begun before the newest was there.
    for (let read = 0; this.#position < newest; read++) {
      if (read === MAX_CATCH_UP || this.#closed) throw new Refusal('try-again', 'the events could not be read now');
      await this.fill();
    }
  }

  /** Reads what is missing from the store and hands it out. @throws Refusal `try-again` */
  fill(): Promise<void> {
    this.#reading ??= this.#readMissing().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /**
   * Events after `after`, as they may be shown now, up to the newest that was handed out; at most as many as the window holds.
   * `after` must not be greater than `position`. @throws Refusal `try-again`
   */
  async since(after: number): Promise<readonly SequencedEvent[]> {
    this.usedAt = this.#parts.clock.now();
    this.#longTailUntil = this.usedAt + LONG_TAIL_MS;
    // Somebody else's read may not have gone back far enough, or the tail may have been dropped meanwhile.
    for (let attempt = 0; attempt < 20 && !this.#covers(after); attempt++) {
      this.#tailRead ??= this.#readTail(after).finally(() => {
        this.#tailRead = null;
      });
      await this.#tailRead;
    }
    if (!this.#covers(after)) throw new Refusal('try-again', 'the events could not be read now');
    return after >= this.#position ? [] : this.#tail.slice(this.#tail.length - (this.#position - after));
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#held.clear();
    this.forgetTail();
  }

  forgetTail(): void {
    this.#setTail([]);
  }

  #covers(after: number): boolean {
    return after >= this.#position || this.#position - this.#tail.length <= after;
  }

  #handOut(event: SequencedEvent): void {
    this.#position = event.seq;
    this.#remember(event);
    if (event.kind !== 'unknown') this.#parts.deliver(event);
  }

  #handOutHeld(): void {
    for (;;) {
      const seq = this.#position + 1;
      const held = this.#held.get(seq);
      if (held === undefined) break;
      this.#held.delete(seq);
      const event = held();
      if (event === null) break;
      this.#handOut(event);
    }
    if (this.#held.size === 0) {
      this.#timer?.cancel();
      this.#timer = null;
      return;
    }
    for (const seq of this.#held.keys()) if (seq <= this.#position) this.#held.delete(seq);
    if (this.#held.size > 0) this.#waitForGap();
  }

  #waitForGap(ms = HOLD_MS): void {
    if (this.#timer !== null || this.#closed) return;
    this.#parts.telemetry.count('gaps_held');
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = null;
      if (this.#closed) return;
      this.#parts.telemetry.count('gaps_read');
      this.fill().catch(() => this.#waitForGap(RETRY_MS));
    });
  }

  async #readMissing(): Promise<void> {
    for (;;) {
      const events = await this.#parts.store.eventsAfter(this.place, this.#position, READ);
      if (this.#closed) return;
      for (const event of events) if (event.seq === this.#position + 1) this.#handOut(event);
      if (events.length < READ) break;
    }
    this.#handOutHeld();
  }

  #remember(event: SequencedEvent): void {
    if (event.kind === 'delete') this.#blank(event.id);
    this.#tail.push(event);
    this.#weigh(bytesOf(event));
    const most = this.#longTailUntil > this.#parts.clock.now() ? this.#parts.window : SHORT_TAIL;
    // Cut in halves, so that it is not done for each event.
    if (this.#tail.length > 2 * most) {
      this.#setTail(this.#tail.slice(-most));
    }
  }

  #blank(id: string): void {
    for (const [i, event] of this.#tail.entries()) {
      if (event.kind === 'unknown' || event.id !== id) continue;
      const without = blanked(event);
      this.#tail[i] = without;
      this.#weigh(bytesOf(without) - bytesOf(event));
    }
  }

  #setTail(tail: SequencedEvent[]): void {
    this.#tail = tail;
    this.#weigh(tail.reduce((sum, event) => sum + bytesOf(event), 0) - this.#tailBytes);
  }

  #weigh(change: number): void {
    this.#tailBytes += change;
    this.#parts.remembered(change);
  }

  /** Prepends to the tail, so that it reaches back to `after`; a second one in a short time reads the whole window at once. */
  async #readTail(after: number): Promise<void> {
    const start = this.#position - this.#tail.length;
    const from = this.#tail.length > SHORT_TAIL ? Math.min(after, this.#position - this.#parts.window) : after;
    const events: SequencedEvent[] = [];
    let last = Math.max(0, from);
    while (last < start) {
      const more = await this.#parts.store.eventsAfter(this.place, last, Math.min(READ, start - last));
      for (const event of more) {
        if (event.seq !== last + 1 || event.seq > start) break;
        events.push(event);
        last = event.seq;
      }
      if (more.length === 0) break;
    }
    // While we read, the tail may have grown or been dropped: what was read must still touch it.
    if (this.#closed || last < this.#position - this.#tail.length) return;
    const joined = withoutDeleted([
      ...events.filter((e) => e.seq <= this.#position - this.#tail.length),
      ...this.#tail,
    ]);
    this.#setTail(joined);
  }
}

/** What an event takes beside its texts. */
const EVENT_BYTES = 400;

/** A character may take two bytes. */
function bytesOf(event: SequencedEvent): number {
  return EVENT_BYTES + 2 * charactersOf(event);
}

function charactersOf(event: SequencedEvent): number {
  switch (event.kind) {
    case 'message':
    case 'file':
    case 'modify':
      return event.content.length;
    case 'reply':
      return event.content.length + event.parentContent.length;
    case 'delete':
    case 'unknown':
      return 0;
  }
}
