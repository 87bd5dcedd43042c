import type { Entry, PlaceKey } from 'chat-server-client';
import { Signal } from './signal.ts';

/** A file in the tray of the composer. Its bytes were read, so it can be sent at any later time. */
export interface TrayFile {
  readonly key: string;
  readonly data: Blob;
  readonly name: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly thumbnail: Blob | null;
}

/** The unsent message of a user in a place. */
export interface Draft {
  readonly text: string;
  readonly reply: Entry | null;
  readonly files: readonly TrayFile[];
}

const EMPTY: Draft = { text: '', reply: null, files: [] };

/**
 * The drafts of one user, by place. Texts survive a reload, and are shared by tabs. Files and the
 * message to answer are kept while the page is open.
 */
export class Drafts {
  readonly #prefix: string;
  readonly #drafts = new Map<PlaceKey, Draft>();
  /** The places with a text that is not sent. */
  readonly places = new Signal<ReadonlySet<string>>(new Set());

  constructor(userId: number) {
    this.#prefix = `chat-draft-${userId}-`;
    const kept = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
    this.places.set(new Set(kept.map((key) => key.slice(this.#prefix.length))));
  }

  get(place: PlaceKey): Draft {
    const known = this.#drafts.get(place);
    if (known !== undefined) return known;
    return { ...EMPTY, text: localStorage.getItem(this.#prefix + place) ?? '' };
  }

  set(place: PlaceKey, changes: Partial<Draft>): void {
    const draft = { ...this.get(place), ...changes };
    this.#drafts.set(place, draft);
    const has = draft.text.trim() !== '';
    try {
      if (has) localStorage.setItem(this.#prefix + place, draft.text);
      else localStorage.removeItem(this.#prefix + place);
    } catch {
      // The browser's storage is full or off. The draft is kept while the page is open.
    }
    if (this.places.value.has(place) === has) return;
    const places = new Set(this.places.value);
    if (has) places.add(place);
    else places.delete(place);
    this.places.set(places);
  }
}
