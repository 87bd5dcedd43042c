import type { Entry } from 'chat-server-client';

/** Entries that are shown at first, and that scrolling to an end adds. */
const STEP = 60;
/** Entries that are shown at most. */
const MAX = 240;

export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of the entries that is in the document. It is kept by keys, since entries come and go at
 * both ends.
 */
export class EntryWindow {
  #first: string | null = null;
  /** null: everything up to the newest. */
  #last: string | null = null;

  /** true: the newest loaded entry is shown, and new ones will be. */
  get isOpen(): boolean {
    return this.#last === null;
  }

  /** @param isAtEnd the reader is at the end, so entries above may go */
  range(entries: readonly Entry[], isAtEnd: boolean): Range {
    let end = this.#last === null ? entries.length : indexOf(entries, this.#last) + 1;
    if (end === 0) {
      this.#last = null;
      end = entries.length;
    }
    let start = this.#first === null ? -1 : indexOf(entries, this.#first);
    if (start === -1 || start >= end) start = Math.max(0, end - STEP);
    if (end - start > MAX && this.#last === null) {
      if (isAtEnd) start = end - STEP;
      else end = start + MAX;
    }
    return this.#set(entries, { start, end });
  }

  /** Shows older entries. Returns false where all loaded ones are shown. */
  up(entries: readonly Entry[]): boolean {
    const { start, end } = this.range(entries, false);
    if (start === 0) return false;
    const from = Math.max(0, start - STEP);
    this.#set(entries, { start: from, end: Math.min(end, from + MAX) });
    return true;
  }

  /** Shows newer entries. Returns false where all loaded ones are shown. */
  down(entries: readonly Entry[]): boolean {
    const { start, end } = this.range(entries, false);
    if (end === entries.length) return false;
    const to = Math.min(entries.length, end + STEP);
    this.#set(entries, { start: Math.max(start, to - MAX), end: to });
    return true;
  }

  /** Shows the entries around one. */
  around(entries: readonly Entry[], index: number): void {
    this.#set(entries, { start: Math.max(0, index - STEP), end: Math.min(entries.length, index + STEP) });
  }

  /** Shows the newest entries. */
  toNewest(): void {
    this.#first = null;
    this.#last = null;
  }

  #set(entries: readonly Entry[], range: Range): Range {
    this.#first = entries[range.start]?.key ?? null;
    this.#last = range.end >= entries.length ? null : (entries[range.end - 1]?.key ?? null);
    return range;
  }
}

function indexOf(entries: readonly Entry[], key: string): number {
  return entries.findIndex((entry) => entry.key === key);
}
