import { decodeFrames, encodeFrame } from './frames.js';
import { Refused } from './refused.js';

/** @typedef {import('./frames.js').Frame} Frame */
/**
 * What is known of the connection. `retryAt` is a time in ms where it waits for its next attempt.
 * @typedef {{ kind: 'connecting' | 'online' | 'stopped' } | { kind: 'waiting', retryAt: number, reason: string }} Link
 */
/**
 * @typedef {object} Subscribed
 * @property {string} destination
 * @property {() => Record<string, string>} headers asked at every connection anew, e.g. for `last-seq`
 * @property {(frame: Frame) => void} onMessage
 */
/** @typedef {{ resolve: (headers: Map<string, string>) => void, reject: (reason: Error) => void, timer: number }} Waiting */

/** The connection ended, or nothing was heard, before the answer came: the frame may or may not have been handled. */
export class Unanswered extends Error {}

const BEAT_MS = 10_000;
const SILENCE_MS = 32_000;
const CONNECT_MS = 12_000;
const RECEIPT_MS = 10_000;
const LONGEST_PAUSE_MS = 15_000;
const RESTARTING = 1012;

/** A STOMP 1.2 client over one WebSocket that comes back by itself, and renews its subscriptions then. */
export class StompClient {
  #url;
  #credentials;
  #listener;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<string, Subscribed>} */
  #subscriptions = new Map();
  /** @type {Map<string, Waiting>} */
  #receipts = new Map();
  /** @type {Link} */
  #link = { kind: 'stopped' };
  #counter = 0;
  #failures = 0;
  #heardAt = 0;
  #retryTimer = 0;
  #beatTimer = 0;
  #reason = '';

  /**
   * @param {string} url
   * @param {() => Promise<Record<string, string>>} credentials headers of CONNECT, asked for each attempt
   * @param {{ onLink(link: Link): void, onOnline(): void, onRefused(refused: Refused): void }} listener
   *   `onOnline` runs when CONNECTED came and the subscriptions were asked for anew; `onRefused` hears refusals that no receipt asked for
   */
  constructor(url, credentials, listener) {
    this.#url = url;
    this.#credentials = credentials;
    this.#listener = listener;
  }

  get isOnline() {
    return this.#link.kind === 'online';
  }

  /** Connects now, also where it waits for its next attempt. */
  connect() {
    if (this.#socket !== null || this.#link.kind === 'connecting') return;
    clearTimeout(this.#retryTimer);
    this.#setLink({ kind: 'connecting' });
    this.#credentials().then(
      (headers) => this.#open(headers),
      (error) => this.#retry(error instanceof Refused ? error.message : 'the server does not answer', false),
    );
  }

  /** Closes for good. */
  stop() {
    clearTimeout(this.#retryTimer);
    this.#setLink({ kind: 'stopped' });
    this.#drop();
  }

  /**
   * @param {string} destination
   * @param {object} body
   * @returns {Promise<Map<string, string>>} the headers of the RECEIPT. @throws Refused, Unanswered
   */
  request(destination, body) {
    if (!this.isOnline) return Promise.reject(new Unanswered('not connected'));
    const receipt = this.#nextId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(receipt)?.reject(new Unanswered('the server did not confirm it in time')),
        RECEIPT_MS,
      );
      this.#receipts.set(receipt, { resolve, reject, timer });
      this.#write('SEND', { destination, receipt, 'content-type': 'application/json' }, JSON.stringify(body));
    });
  }

  /** Sends what nobody waits for; dropped while there is no connection. @param {string} destination @param {object} body */
  tell(destination, body) {
    if (this.isOnline) this.#write('SEND', { destination, 'content-type': 'application/json' }, JSON.stringify(body));
  }

  /** @param {Subscribed} subscribed @returns {() => void} ends the subscription */
  subscribe(subscribed) {
    const id = this.#nextId();
    this.#subscriptions.set(id, subscribed);
    if (this.isOnline) this.#announce(id, subscribed);
    return () => {
      if (this.#subscriptions.delete(id) && this.isOnline) this.#write('UNSUBSCRIBE', { id });
    };
  }

  /** @param {Record<string, string>} headers */
  #open(headers) {
    if (this.#link.kind !== 'connecting') return;
    const socket = new WebSocket(this.#url, ['v12.stomp']);
    this.#socket = socket;
    this.#heardAt = Date.now();
    const deadline = setTimeout(() => {
      if (socket === this.#socket && !this.isOnline) this.#lose('the server does not answer');
    }, CONNECT_MS);
    socket.onopen = () => {
      const beats = `${BEAT_MS},${BEAT_MS}`;
      socket.send(encodeFrame('CONNECT', { 'accept-version': '1.2', 'heart-beat': beats, ...headers }));
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heardAt = Date.now();
      for (const frame of decodeFrames(String(data))) this.#handle(frame);
    };
    socket.onclose = ({ code }) => {
      clearTimeout(deadline);
      if (socket === this.#socket) this.#lose(this.#reason || 'the connection was lost', code === RESTARTING);
    };
  }

  /** @param {Frame} frame */
  #handle(frame) {
    const { command, headers, body } = frame;
    if (command === 'CONNECTED') {
      this.#reason = '';
      this.#beatTimer = setInterval(() => this.#beat(), BEAT_MS);
      this.#setLink({ kind: 'online' });
      this.#write('SUBSCRIBE', { id: 'errors', destination: '/user/queue/errors' });
      for (const [id, subscribed] of this.#subscriptions) this.#announce(id, subscribed);
      this.#listener.onOnline();
    } else if (command === 'MESSAGE') {
      const id = headers.get('subscription') ?? '';
      if (id === 'errors') this.#refuse(body);
      else this.#subscriptions.get(id)?.onMessage(frame);
    } else if (command === 'RECEIPT') {
      this.#failures = 0;
      this.#settle(headers.get('receipt-id') ?? '')?.resolve(headers);
    } else if (command === 'ERROR') {
      this.#reason = headers.get('message') ?? 'the server refused';
      this.#listener.onRefused(new Refused(Number(headers.get('code') ?? 0), this.#reason));
    }
  }

  /** @param {string} body */
  #refuse(body) {
    const { code, message, 'receipt-id': receipt, subscription } = JSON.parse(body);
    const refused = new Refused(code, message);
    const waiting = receipt === undefined ? undefined : this.#settle(receipt);
    if (subscription !== undefined) this.#subscriptions.delete(subscription);
    if (waiting === undefined) this.#listener.onRefused(refused);
    else waiting.reject(refused);
  }

  #beat() {
    if (Date.now() - this.#heardAt > SILENCE_MS) {
      this.#lose('the server fell silent');
      return;
    }
    // A connection that lasts so long works: the next loss starts its pauses anew.
    this.#failures = 0;
    this.#socket?.send('\n');
  }

  /** @param {string} reason @param {boolean} [atOnce] */
  #lose(reason, atOnce = false) {
    this.#drop();
    if (this.#link.kind !== 'stopped') this.#retry(reason, atOnce);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    clearInterval(this.#beatTimer);
    socket?.close();
    for (const receipt of [...this.#receipts.keys()]) {
      this.#settle(receipt)?.reject(new Unanswered('the connection was lost'));
    }
  }

  /** @param {string} reason @param {boolean} atOnce */
  #retry(reason, atOnce) {
    if (this.#link.kind === 'stopped') return;
    // Pauses double, and jitter keeps the clients of a server that went away from coming back in step.
    const longest = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.#failures);
    const pause = atOnce && this.#failures === 0 ? 0 : longest * (0.5 + Math.random() / 2);
    this.#failures += 1;
    this.#setLink({ kind: 'waiting', retryAt: Date.now() + pause, reason });
    this.#retryTimer = setTimeout(() => this.connect(), pause);
  }

  /** @param {string} id @param {Subscribed} subscribed */
  #announce(id, { destination, headers }) {
    this.#write('SUBSCRIBE', { id, destination, ...headers() });
  }

  /** @param {string} command @param {Record<string, string>} headers @param {string} [body] */
  #write(command, headers, body) {
    this.#socket?.send(encodeFrame(command, headers, body));
  }

  /** @param {string} receipt */
  #settle(receipt) {
    const waiting = this.#receipts.get(receipt);
    this.#receipts.delete(receipt);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #nextId() {
    this.#counter += 1;
    return `n${this.#counter}`;
  }

  /** @param {Link} link */
  #setLink(link) {
    this.#link = link;
    this.#listener.onLink(link);
  }
}
