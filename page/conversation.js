/** @typedef {import('./api.js').Entry} Entry */
/** A live frame's body; which fields there are depends on its type. @typedef {Record<string, any>} LiveEvent */

const PAGE = 50;
const DELETED = '삭제된 메세지입니다.';

/** The messages of one place, as far as they were read: history and live events make one list, oldest first. */
export class Conversation {
  /** @type {Entry[]} */
  entries = [];
  /** @type {'new' | 'loading' | 'loaded' | 'failed'} */
  state = 'new';
  /** True where nothing older is left to read. */
  isComplete = false;
  isLoadingOlder = false;
  /** The newest number that is in `entries`; null before the first reading. @type {number | null} */
  seq = null;
  #api;
  /** Changes that came while older entries were being read. @type {LiveEvent[]} */
  #changes = [];

  /** @param {import('./world.js').Place} place @param {import('./api.js').Api} api */
  constructor(place, api) {
    this.place = place;
    this.#api = api;
  }

  /** Reads the newest entries, in place of all there were. @throws what the reading failed with */
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

  /** Reads what comes before the oldest entry. @throws what the reading failed with */
  async loadOlder() {
    const oldest = this.entries.find(({ seq }) => seq !== null)?.seq ?? null;
    if (this.state !== 'loaded' || this.isComplete || this.isLoadingOlder || oldest === null) return;
    this.isLoadingOlder = true;
    this.#changes = [];
    try {
      const { entries } = await this.#api.history(this.place, PAGE, oldest);
      // A reset may have put another list here meanwhile.
      if (this.entries.some(({ seq }) => seq === oldest)) {
        this.entries = [...entries, ...this.entries];
        this.isComplete = entries.length < PAGE;
        for (const change of this.#changes) this.#change(change);
      }
    } finally {
      this.isLoadingOlder = false;
    }
  }

  /** Forgets all but the newest, which are read again by scrolling up. @param {number} most */
  trim(most) {
    if (this.entries.length <= most || this.isLoadingOlder) return;
    this.entries = this.entries.slice(-most);
    this.isComplete = false;
  }

  /** Takes a live event; what is known already changes nothing. @param {LiveEvent} event @returns {boolean} whether it was new */
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
    this.entries = [...this.entries, { ...entryOf(event), parentId: this.#parentOf(event) }];
    return true;
  }

  /** A live reply shows its parent and does not name it: known where just one message reads like it. @param {LiveEvent} event */
  #parentOf({ type, parentName, parentContent }) {
    if (type !== 'reply') return null;
    const alike = this.entries.filter(({ name, message }) => name === parentName && message === parentContent);
    return alike.length === 1 ? (alike[0]?.id ?? null) : null;
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

/** A live event in the shape of the history. @param {LiveEvent} event @returns {Entry} */
function entryOf(event) {
  return {
    id: event.id,
    userId: Number(event.userId),
    name: event.name,
    message: event.message ?? '',
    thumbnail: event.thumbnail ?? null,
    fileType: event.type === 'reply' ? 'reply' : (event.fileType ?? null),
    time: event.time,
    parentId: null,
    parentName: event.parentName ?? null,
    parentContent: event.parentContent ?? null,
    seq: event.seq ?? null,
    edited: false,
    nonce: event.nonce ?? null,
  };
}
