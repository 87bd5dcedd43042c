import type { Body } from './connection.ts';
import { afterDeletion, afterEdit, type Entry, entryOf } from './entry.ts';

/** A part of the history, oldest entry first. */
export interface Page {
  readonly entries: readonly Entry[];
  /** The newest number of the place when the page was read. */
  readonly seq: number;
  /** true: there may be more entries in the direction of the read. */
  readonly isFull: boolean;
}

/**
 * Live events since a read of the history began. They decide what a page that comes late must show.
 */
export interface Read {
  readonly events: Body[];
}

/**
 * The loaded entries of one place, oldest first. It joins pages of the history and live events by
 * their numbers. It does no input or output.
 */
export class Timeline {
  entries: readonly Entry[] = [];
  /** The newest number that was applied; null before the first page. */
  last: number | null = null;
  hasOlder = false;
  /** true: the entries end before the newest one, after a jump to an older part. */
  hasNewer = false;
  readonly #maxEntries: number;
  readonly #reads = new Set<Read>();

  /** @param maxEntries when live events exceed it, the oldest entries are dropped */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Begins a read of the history. Live events that come before its end are applied to its page. */
  begin(): Read {
    const read = { events: [] };
    this.#reads.add(read);
    return read;
  }

  /** Ends a read without a page. */
  abandon(read: Read): void {
    this.#reads.delete(read);
  }

  /** Shows the newest page and continues after its number. */
  start({ entries, seq, isFull }: Page): void {
    this.entries = entries;
    this.last = seq;
    this.hasOlder = isFull;
    this.hasNewer = false;
  }

  /** Adds a page that was read by `before=` the oldest entry. */
  addOlder({ entries, seq, isFull }: Page, read: Read): void {
    const known = new Set(this.entries.map(({ id }) => id));
    this.entries = [...entries.filter(({ id }) => !known.has(id)), ...this.entries];
    this.hasOlder = isFull;
    this.#finish(read, seq);
  }

  /** Adds a page that was read by `after=` the newest entry. */
  addNewer({ entries, seq, isFull }: Page, read: Read): void {
    const known = new Set(this.entries.map(({ id }) => id));
    this.entries = [...this.entries, ...entries.filter(({ id }) => !known.has(id))];
    this.hasNewer = isFull;
    this.#finish(read, seq);
  }

  /** Shows two pages around a number instead of the loaded entries. */
  jump(older: Page, newer: Page, read: Read): void {
    this.entries = [...older.entries, ...newer.entries];
    this.hasOlder = older.isFull;
    this.hasNewer = newer.isFull;
    this.#finish(read, Math.min(older.seq, newer.seq));
  }

  /** Applies a live event whose number follows `last`, or that has none. */
  apply(event: Body): void {
    if (typeof event.seq === 'number') this.last = event.seq;
    for (const read of this.#reads) read.events.push(event);
    this.#change(event);
  }

  #finish(read: Read, seq: number): void {
    this.#reads.delete(read);
    for (const event of read.events) if (Number(event.seq ?? Number.POSITIVE_INFINITY) > seq) this.#change(event);
  }

  #change(event: Body): void {
    const id = String(event.id);
    if (event.type === 'modify') {
      const text = String(event.message ?? '');
      this.entries = this.entries.map((entry) => afterEdit(entry, id, text));
    } else if (event.type === 'delete') {
      this.entries = this.entries.filter((entry) => entry.id !== id).map((entry) => afterDeletion(entry, id));
    } else if (!this.hasNewer) this.#insert(entryOf(event));
  }

  #insert(entry: Entry): void {
    if (this.entries.some(({ id }) => id === entry.id)) return;
    // Nearly always at the end. A page may already hold events that are live only now.
    let at = this.entries.length;
    const { seq } = entry;
    while (seq !== null && at > 0 && (this.entries[at - 1]?.seq ?? 0) > seq) at -= 1;
    this.entries = [...this.entries.slice(0, at), entry, ...this.entries.slice(at)];
    if (this.entries.length <= this.#maxEntries) return;
    this.entries = this.entries.slice(-this.#maxEntries);
    this.hasOlder = true;
  }
}
