import { Refused } from './refused.js';
import { readStored, writeStored } from './stored.js';

/**
 * Something that the user says. Its nonce makes that it counts once, however often it is sent.
 * @typedef {object} Words
 * @property {string} nonce
 * @property {string} place
 * @property {'message' | 'reply' | 'modify' | 'delete'} kind
 * @property {string} destination
 * @property {Record<string, unknown>} body
 */
/**
 * Words that the server has not shown yet.
 * @typedef {object} Fate
 * @property {'waiting' | 'sent' | 'failed'} state `sent`: confirmed, and to be seen any moment
 * @property {string} reason why it failed
 */
/** @typedef {Words & Fate} Parcel */

const PASSING_MS = 1_500;

/** Sends one parcel after the other, in order, each until it is confirmed or refused; survives a reload of the page. */
export class Outbox {
  #key;
  #client;
  #onChange;
  #onRefused;
  /** @type {Parcel[]} */
  #parcels;
  #isSending = false;

  /**
   * @param {string} key of the store that it is kept in
   * @param {import('./stomp.js').StompClient} client
   * @param {() => void} onChange
   * @param {(message: string) => void} onRefused hears why an edit or a deletion came to nothing
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

  /** New messages and replies of a place that are not to be seen in its history yet. @param {string} place */
  unseen(place) {
    return this.#parcels.filter((parcel) => parcel.place === place && isNew(parcel));
  }

  /** The message with this nonce was seen. @param {string} nonce */
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

  /** Sends what waits. */
  async flush() {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let parcel = this.#next(); parcel !== undefined; parcel = this.#next()) await this.#send(parcel);
    this.#isSending = false;
  }

  #next() {
    return this.#client.isOnline ? this.#parcels.find(({ state }) => state === 'waiting') : undefined;
  }

  /** @param {Parcel} parcel */
  async #send(parcel) {
    try {
      await this.#client.request(parcel.destination, parcel.body);
      if (isNew(parcel)) parcel.state = 'sent';
      else this.discard(parcel.nonce);
    } catch (error) {
      // Without an answer it stays as it is, and is sent again with the same nonce.
      if (!(error instanceof Refused)) return;
      if (error.isPassing) {
        await new Promise((resolve) => setTimeout(resolve, PASSING_MS));
      } else if (isNew(parcel)) {
        parcel.state = 'failed';
        parcel.reason = error.message;
      } else {
        this.discard(parcel.nonce);
        this.#onRefused(`${parcel.kind === 'modify' ? 'Not edited' : 'Not deleted'}: ${error.message}`);
      }
    }
    this.#changed();
  }

  #changed() {
    writeStored(this.#key, this.#parcels.length === 0 ? null : this.#parcels);
    this.#onChange();
  }
}

/** @param {Parcel} parcel */
function isNew({ kind }) {
  return kind === 'message' || kind === 'reply';
}
