/** @typedef {import('./conversation.js').LiveEvent} LiveEvent */

const TYPING_MS = 4_000;

/** Who is online, who is in which voice channel, and who types where. */
export class Presence {
  /** @type {Set<number>} */
  online = new Set();
  /** Channel id to the users in its voice. @type {Map<number, number[]>} */
  voice = new Map();
  /** Who came (true) or went since the question who is online. @type {Map<number, boolean>} */
  #news = new Map();
  /** Place to names, to the timer that ends it. @type {Map<string, Map<string, number>>} */
  #typists = new Map();
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @param {LiveEvent} event a `connect` or `disconnect` */
  came({ type, userId }) {
    this.#news.set(Number(userId), type === 'connect');
    this.#answered(this.online);
  }

  /**
   * Asks who is online; what was told while the answer was on its way is newer than the answer.
   * @param {() => Promise<number[]>} question
   */
  async ask(question) {
    this.#news.clear();
    this.#answered(new Set(await question()));
  }

  /** @param {Set<number>} users */
  #answered(users) {
    this.online = users;
    for (const [user, isOnline] of this.#news) {
      if (isOnline) users.add(user);
      else users.delete(user);
    }
    this.#onChange();
  }

  /** Users of some voice channels; a user is in one at most. @param {Record<string, string[]>} lists channel id to user ids */
  heard(lists) {
    for (const [channel, ids] of Object.entries(lists)) {
      if (!Array.isArray(ids)) continue;
      const users = ids.map(Number);
      for (const [other, present] of this.voice) {
        this.voice.set(
          other,
          present.filter((user) => !users.includes(user)),
        );
      }
      this.voice.set(Number(channel), users);
    }
    this.#onChange();
  }

  /** Somebody left (or entered) a voice channel. @param {LiveEvent} event */
  left({ channelId, ids }) {
    this.heard({ [String(channelId).replace(/^c-/, '')]: ids ?? [] });
  }

  /** @param {string} place @param {string} name */
  types(place, name) {
    const names = this.#typists.get(place) ?? new Map();
    clearTimeout(names.get(name));
    names.set(
      name,
      setTimeout(() => this.stopsTyping(place, name), TYPING_MS),
    );
    this.#typists.set(place, names);
    this.#onChange();
  }

  /** @param {string} place @param {string} name */
  stopsTyping(place, name) {
    const names = this.#typists.get(place);
    clearTimeout(names?.get(name));
    if (names?.delete(name)) this.#onChange();
  }

  /** @param {string} place @returns {string[]} */
  typists(place) {
    return [...(this.#typists.get(place)?.keys() ?? [])];
  }

  /** Nothing of this holds over a lost connection. */
  forget() {
    this.online.clear();
    this.#news.clear();
    this.voice.clear();
    this.#onChange();
  }
}
