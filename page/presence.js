/** @typedef {import('./conversation.js').LiveEvent} LiveEvent */

const TYPING_MS = 4_000;

/** The users who are online, in voice channels, and typing. */
export class Presence {
  /** @type {Set<number>} */
  online = new Set();
  /** Users in voice, by channel id. @type {Map<number, number[]>} */
  voice = new Map();
  /**
   * Users who came (true) or went (false) since the last request for online users.
   * @type {Map<number, boolean>}
   */
  #changes = new Map();
  /**
   * The timers that end typing notices, by place and name.
   * @type {Map<string, Map<string, number>>}
   */
  #typists = new Map();
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @param {LiveEvent} event a `connect` or `disconnect` */
  came({ type, userId }) {
    this.#changes.set(Number(userId), type === 'connect');
    this.#answered(this.online);
  }

  /**
   * Requests the users who are online. Changes that arrive before the answer are newer than it and
   * win.
   * @param {() => Promise<number[]>} question
   */
  async ask(question) {
    this.#changes.clear();
    this.#answered(new Set(await question()));
  }

  /** @param {Set<number>} users */
  #answered(users) {
    this.online = users;
    for (const [user, isOnline] of this.#changes) {
      if (isOnline) users.add(user);
      else users.delete(user);
    }
    this.#onChange();
  }

  /**
   * Takes the users of some voice channels. A user is in at most one channel.
   * @param {Record<string, string[]>} lists channel id to user ids
   */
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

  /** Takes the users of a voice channel that a user left or entered. @param {LiveEvent} event */
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

  /** Forgets everything, because it may change while the connection is lost. */
  forget() {
    this.online.clear();
    this.#changes.clear();
    this.voice.clear();
    this.#onChange();
  }
}
