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

const RETRY_MS = 1_500;

/**
 * Sends commands one by one, in order, and repeats each one until it is confirmed or refused. It
 * survives a reload of the page.
 */
export class Outbox {
  #key;
  #client;
  #onChange;
  #onRefused;
  /** @type {Parcel[]} */
  #parcels;
  #isSending = false;

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
      // Without an answer the parcel stays and is sent again with the same nonce.
      if (!(error instanceof Refused)) return;
      if (error.isTemporary) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
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
