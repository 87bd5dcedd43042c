import type { Entry, Place } from 'chat-server-client';
import { Signal } from './signal.ts';

/** Time in which a deletion can be undone. */
export const UNDO_MS = 5_000;

/** Deletions that the user can still undo. They are given to the client when the time is over. */
export class Removals {
  readonly #running = new Map<string, { readonly timer: number; readonly remove: () => void }>();
  /** Keys of the entries that are being deleted. */
  readonly keys = new Signal<ReadonlySet<string>>(new Set());

  begin(place: Place, entry: Entry): void {
    if (this.#running.has(entry.key)) return;
    const remove = () => {
      this.#forget(entry.key);
      place.remove(entry).catch(() => {
        // The entry shows why.
      });
    };
    this.#running.set(entry.key, { timer: setTimeout(remove, UNDO_MS), remove });
    this.#changed();
  }

  undo(key: string): void {
    clearTimeout(this.#running.get(key)?.timer);
    this.#forget(key);
  }

  /** Deletes everything at once: the page is being closed. */
  finish(): void {
    for (const { timer, remove } of [...this.#running.values()]) {
      clearTimeout(timer);
      remove();
    }
  }

  #forget(key: string): void {
    this.#running.delete(key);
    this.#changed();
  }

  #changed(): void {
    this.keys.set(new Set(this.#running.keys()));
  }
}
