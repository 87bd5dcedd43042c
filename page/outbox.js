import { Refused } from './refused.js';
import { readStored, writeStored } from './stored.js';

/**
 * A command of the user. Its nonce ensures that the server stores it once, even if it is sent
 * several times.
 * @typedef {object} Words
 * @property {string} nonce
 * @property {string} place
 * @property {'message' | 'reply' | 'modify' | 'delete'} kind
 * @property {string} destination
 * @property {Record<string, unknown>} body
 */
/**
 * The progress of a command that the server has not shown yet.
 * @typedef {object} Fate
 * @property {'waiting' | 'sent' | 'failed'} state `sent`: confirmed, but not shown yet
 * @property {string} reason the server's message if it failed
 */
/** @typedef {Words & Fate} Parcel */

/** The pause after a first failure. It doubles with each further one, up to the maximum. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 15_000;

/**
 * Sends the commands of each place one by one, in order, and repeats each one until it is confirmed
 * or refused for good. It survives a reload of the page.
 */
export class Outbox {
  #key;
  #client;
  #onChange;
  #onRefused;
  /** @type {Parcel[]} */
  #parcels;
  /** The places that are being sent. @type {Set<string>} */
  #sending = new Set();

  /**
   * @param {string} key where sessionStorage keeps it
   * @param {import('./stomp.js').StompClient} client
   * @param {() => void} onChange
   * @param {(message: string) => void} onRefused gets the reason why an edit or deletion was
   * refused
   */
  constructor(key, client, onChange, onRefused) {
    this.#key = key;
    this.#client = client;
    this.#onChange = onChange;
    this.#onRefused = onRefused;
    /** @type {Parcel[]} */
    const kept = readStored(key) ?? [];
    this.#parcels = kept.filter(({ state }) => state !== 'sent');
  }

  /** @param {Words} words */
  add(words) {
    this.#parcels.push({ ...words, state: 'waiting', reason: '' });
    this.#changed();
    this.flush();
  }

  /**
   * New messages and replies of a place that the server has not shown yet.
   * @param {string} place
   */
  unseen(place) {
    return this.#parcels.filter((parcel) => parcel.place === place && isNew(parcel));
  }

  /** Removes the message with this nonce, because the server has shown it. @param {string} nonce */
  seen(nonce) {
    if (this.#parcels.some((parcel) => parcel.nonce === nonce && isNew(parcel))) this.discard(nonce);
  }

  /** @param {string} nonce */
  retry(nonce) {
    const parcel = this.#parcels.find((each) => each.nonce === nonce);
    if (parcel !== undefined) parcel.state = 'waiting';
    this.#changed();
    this.flush();
  }

  /** @param {string} nonce */
  discard(nonce) {
    this.#parcels = this.#parcels.filter((parcel) => parcel.nonce !== nonce);
    this.#changed();
  }

  /** Sends all waiting commands. */
  async flush() {
    await Promise.all([...new Set(this.#parcels.map(({ place }) => place))].map((place) => this.#flushPlace(place)));
  }

  /** @param {string} place */
  async #flushPlace(place) {
    if (this.#sending.has(place)) return;
    this.#sending.add(place);
    let failures = 0;
    for (let parcel = this.#next(place); parcel !== undefined; parcel = this.#next(place)) {
      const pause = await this.#send(parcel, failures);
      failures = pause === 0 ? 0 : failures + 1;
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.#sending.delete(place);
  }

  /** @param {string} place */
  #next(place) {
    if (!this.#client.isOnline) return undefined;
    return this.#parcels.find((parcel) => parcel.place === place && parcel.state === 'waiting');
  }

  /**
   * @param {Parcel} parcel @param {number} failures attempts in a row that failed
   * @returns {Promise<number>} milliseconds until the next attempt in this place
   */
  async #send(parcel, failures) {
    let pause = 0;
    try {
      await this.#client.request(parcel.destination, parcel.body);
      if (isNew(parcel)) parcel.state = 'sent';
      else this.discard(parcel.nonce);
    } catch (error) {
      // Without an answer, or with one that is no final refusal, the parcel stays. It is sent again
      // with the same nonce, before those after it.
      if (!(error instanceof Refused)) {
        pause = this.#client.isOnline ? backoff(failures) : 0;
      } else if (error.isTemporary) {
        pause = error.retryAfterMs ?? backoff(failures);
      } else if (isNew(parcel)) {
        parcel.state = 'failed';
        parcel.reason = error.message;
      } else {
        this.discard(parcel.nonce);
        this.#onRefused(`${parcel.kind === 'modify' ? 'Not edited' : 'Not deleted'}: ${error.message}`);
      }
    }
    this.#changed();
    return pause;
  }

  #changed() {
    writeStored(this.#key, this.#parcels.length === 0 ? null : this.#parcels);
    this.#onChange();
  }
}

/** @param {number} failures */
function backoff(failures) {
  return Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** @param {Parcel} parcel */
function isNew({ kind }) {
  return kind === 'message' || kind === 'reply';
}
