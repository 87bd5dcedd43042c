/** @typedef {import('./api.js').Entry} Entry */
/**
 * The body of a live frame. Its fields depend on its type.
 * @typedef {Record<string, any>} LiveEvent
 */

const PAGE = 50;
const DELETED = '삭제된 메세지입니다.';

/**
 * The messages of one place that were read so far. History and live events form one list, oldest
 * first.
 */
export class Conversation {
  /** @type {Entry[]} */
  entries = [];
  /** @type {'new' | 'loading' | 'loaded' | 'failed'} */
  state = 'new';
  /** True when there are no older messages to read. */
  isComplete = false;
  isLoadingOlder = false;
  /** The newest number in `entries`; null before the first load. @type {number | null} */
  seq = null;
  #api;
  /** Edits and deletions that arrived while older entries were being read. @type {LiveEvent[]} */
  #changes = [];

  /** @param {import('./world.js').Place} place @param {import('./api.js').Api} api */
  constructor(place, api) {
    this.place = place;
    this.#api = api;
  }

  /** Replaces all entries with the newest ones of the history. @throws the error of the request */
  async load() {
    this.state = 'loading';
    try {
      const { entries, seq } = await this.#api.history(this.place, PAGE);
      this.entries = entries;
      this.seq = seq;
      this.isComplete = entries.length < PAGE;
      this.state = 'loaded';
    } catch (error) {
      this.state = 'failed';
      throw error;
    }
  }

  /** Reads the entries before the oldest one. @throws the error of the request */
  async loadOlder() {
    const oldest = this.entries.find(({ seq }) => seq !== null)?.seq ?? null;
    if (this.state !== 'loaded' || this.isComplete || this.isLoadingOlder || oldest === null) return;
    this.isLoadingOlder = true;
    this.#changes = [];
    try {
      const { entries } = await this.#api.history(this.place, PAGE, oldest);
      // A reset may have replaced the list meanwhile.
      if (this.entries.some(({ seq }) => seq === oldest)) {
        this.entries = [...entries, ...this.entries];
        this.isComplete = entries.length < PAGE;
        for (const change of this.#changes) this.#change(change);
      }
    } finally {
      this.isLoadingOlder = false;
    }
  }

  /**
   * Keeps only the newest `limit` entries. Scrolling up reads the others again.
   * @param {number} limit
   */
  trim(limit) {
    if (this.entries.length <= limit || this.isLoadingOlder) return;
    this.entries = this.entries.slice(-limit);
    this.isComplete = false;
  }

  /**
   * Applies a live event. A known event changes nothing.
   * @param {LiveEvent} event
   * @returns {boolean} whether it was new
   */
  apply(event) {
    if (this.state !== 'loaded') return false;
    const seq = event.seq ?? null;
    if (seq !== null) {
      if (this.seq !== null && seq <= this.seq) return false;
      this.seq = seq;
    }
    if (event.type === 'modify' || event.type === 'delete') {
      if (this.isLoadingOlder) this.#changes.push(event);
      this.#change(event);
      return true;
    }
    if (this.entries.some(({ id }) => id === event.id)) return false;
    this.entries = [...this.entries, entryOf(event)];
    return true;
  }

  /** @param {LiveEvent} event */
  #change({ type, id, message }) {
    if (type === 'delete') {
      this.entries = this.entries
        .filter((entry) => entry.id !== id)
        .map((entry) => (entry.parentId === id ? { ...entry, parentName: '', parentContent: DELETED } : entry));
      return;
    }
    this.entries = this.entries.map((entry) => {
      if (entry.id === id) return { ...entry, message, edited: true };
      return entry.parentId === id ? { ...entry, parentContent: message } : entry;
    });
  }
}

/** Converts a live event to the form of the history. @param {LiveEvent} event @returns {Entry} */
function entryOf(event) {
  return {
    id: event.id,
    userId: Number(event.userId),
    name: event.name,
    message: event.message ?? '',
    thumbnail: event.thumbnail ?? null,
    fileType: event.type === 'reply' ? 'reply' : (event.fileType ?? null),
    time: event.time,
    parentId: event.parentId ?? null,
    parentName: event.parentName ?? null,
    parentContent: event.parentContent ?? null,
    seq: event.seq ?? null,
    edited: false,
    nonce: event.nonce ?? null,
  };
}
