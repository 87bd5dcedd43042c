import { decodeFrames, encodeFrame } from './frames.js';
import { Refused } from './refused.js';

/** @typedef {import('./frames.js').Frame} Frame */
/**
 * The state of the connection. `retryAt` is the time of the next attempt, in milliseconds of
 * `performance.now()`.
 * @typedef {{ kind: 'connecting' | 'online' | 'stopped' } | { kind: 'waiting', retryAt: number,
 * reason: string }} Link
 */
/**
 * @typedef {object} Subscription
 * @property {string} destination
 * @property {() => Record<string, string>} headers called at each connection, for headers like
 * `last-seq`
 * @property {(frame: Frame) => void} onMessage
 */
/**
 * @typedef {object} Waiting
 * @property {(headers: Map<string, string>) => void} resolve
 * @property {(reason: Error) => void} reject
 * @property {number} timer
 * @property {number} size characters of the body
 */

/**
 * No answer arrived before the timeout or the end of the connection. The server may have handled
 * the frame or not.
 */
export class Unanswered extends Error {}

const HEART_BEAT_MS = 10_000;
const SILENCE_MS = 32_000;
const CONNECT_MS = 12_000;
const RECEIPT_MS = 10_000;
const MAX_PAUSE_MS = 15_000;
/** Close code of a server that restarts. */
const RESTARTING = 1012;
const TOO_LARGE = 2413;

/**
 * A STOMP 1.2 client over one WebSocket. It reconnects by itself and then renews its subscriptions.
 */
export class StompClient {
  #url;
  #credentials;
  #listener;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<string, Subscription>} */
  #subscriptions = new Map();
  /** @type {Map<string, Waiting>} */
  #receipts = new Map();
  /** @type {Link} */
  #link = { kind: 'stopped' };
  #counter = 0;
  #failures = 0;
  #receivedAt = 0;
  #retryTimer = 0;
  #beatTimer = 0;
  #reason = '';

  /**
   * @param {string} url
   * @param {() => Promise<Record<string, string>>} credentials the headers of CONNECT, called for
   * each attempt
   * @param {{ onLink(link: Link): void, onOnline(): void, onRefused(refused: Refused): void }}
   * listener `onOnline` runs after CONNECTED, when the subscriptions were renewed; `onRefused` gets
   * refusals of frames without a receipt
   */
  constructor(url, credentials, listener) {
    this.#url = url;
    this.#credentials = credentials;
    this.#listener = listener;
  }

  get isOnline() {
    return this.#link.kind === 'online';
  }

  /** Connects now, even if the next attempt is due later. */
  connect() {
    if (this.#socket !== null || this.#link.kind === 'connecting') return;
    clearTimeout(this.#retryTimer);
    this.#setLink({ kind: 'connecting' });
    this.#credentials().then(
      (headers) => this.#open(headers),
      (error) => this.#retry(error instanceof Refused ? error.message : 'the server does not answer', false),
    );
  }

  /** Closes the connection and does not reconnect. */
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
        () => this.#settle(receipt)?.reject(new Unanswered('the server did not confirm the frame in time')),
        RECEIPT_MS,
      );
      const text = JSON.stringify(body);
      this.#receipts.set(receipt, { resolve, reject, timer, size: text.length });
      this.#write('SEND', { destination, receipt, 'content-type': 'application/json' }, text);
    });
  }

  /**
   * Sends a frame without a receipt. It is dropped if there is no connection.
   * @param {string} destination
   * @param {object} body
   */
  notify(destination, body) {
    if (this.isOnline) this.#write('SEND', { destination, 'content-type': 'application/json' }, JSON.stringify(body));
  }

  /** @param {Subscription} subscription @returns {() => void} ends the subscription */
  subscribe(subscription) {
    const id = this.#nextId();
    this.#subscriptions.set(id, subscription);
    if (this.isOnline) this.#sendSubscribe(id, subscription);
    return () => {
      if (this.#subscriptions.delete(id) && this.isOnline) this.#write('UNSUBSCRIBE', { id });
    };
  }

  /** @param {Record<string, string>} headers */
  #open(headers) {
    if (this.#link.kind !== 'connecting') return;
    const socket = new WebSocket(this.#url, ['v12.stomp']);
    this.#socket = socket;
    this.#receivedAt = performance.now();
    const deadline = setTimeout(() => {
      if (socket === this.#socket && !this.isOnline) this.#connectionLost('the server does not answer');
    }, CONNECT_MS);
    socket.onopen = () => {
      const beats = `${HEART_BEAT_MS},${HEART_BEAT_MS}`;
      socket.send(encodeFrame('CONNECT', { 'accept-version': '1.2', 'heart-beat': beats, ...headers }));
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#receivedAt = performance.now();
      for (const frame of decodeFrames(String(data))) this.#handle(frame);
    };
    socket.onclose = ({ code }) => {
      clearTimeout(deadline);
      if (socket === this.#socket) this.#connectionLost(this.#reason || 'the connection was lost', code === RESTARTING);
    };
  }

  /** @param {Frame} frame */
  #handle(frame) {
    const { command, headers, body } = frame;
    if (command === 'CONNECTED') {
      this.#reason = '';
      this.#beatTimer = setInterval(() => this.#beat(), HEART_BEAT_MS);
      this.#setLink({ kind: 'online' });
      this.#write('SUBSCRIBE', { id: 'errors', destination: '/user/queue/errors' });
      for (const [id, subscription] of this.#subscriptions) this.#sendSubscribe(id, subscription);
      this.#listener.onOnline();
    } else if (command === 'MESSAGE') {
      const id = headers.get('subscription') ?? '';
      if (id === 'errors') this.#refuse(body);
      else this.#subscriptions.get(id)?.onMessage(frame);
    } else if (command === 'RECEIPT') {
      this.#failures = 0;
      this.#settle(headers.get('receipt-id') ?? '')?.resolve(headers);
    } else if (command === 'ERROR') {
      this.#failed(headers);
    }
  }

  /**
   * The server closes the connection. The frame at fault must not be sent again.
   * @param {Map<string, string>} headers
   */
  #failed(headers) {
    this.#reason = headers.get('message') ?? 'the server refused the connection';
    const pause = headers.get('retry-after-ms');
    const code = Number(headers.get('code') ?? 0);
    const refused = new Refused(code, this.#reason, pause === undefined ? undefined : Number(pause));
    // The server reads nothing of a frame that is far too large, not even its receipt.
    const receipt = headers.get('receipt-id') ?? (code === TOO_LARGE ? this.#largest() : undefined);
    const waiting = receipt === undefined ? undefined : this.#settle(receipt);
    if (waiting === undefined) this.#listener.onRefused(refused);
    else waiting.reject(refused);
  }

  /** The receipt of the largest frame without an answer. */
  #largest() {
    return [...this.#receipts].sort(([, a], [, b]) => b.size - a.size)[0]?.[0];
  }

  /** @param {string} body */
  #refuse(body) {
    const { code, message, 'receipt-id': receipt, subscription, 'retry-after-ms': pause } = JSON.parse(body);
    const refused = new Refused(code, message, pause);
    const waiting = receipt === undefined ? undefined : this.#settle(receipt);
    if (subscription !== undefined) this.#subscriptions.delete(subscription);
    if (waiting === undefined) this.#listener.onRefused(refused);
    else waiting.reject(refused);
  }

  #beat() {
    if (performance.now() - this.#receivedAt > SILENCE_MS) {
      this.#connectionLost('the server stopped responding');
      return;
    }
    // A connection that lasts this long works, so the next pause is short again.
    this.#failures = 0;
    this.#socket?.send('\n');
  }

  /** @param {string} reason @param {boolean} [atOnce] */
  #connectionLost(reason, atOnce = false) {
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
    // Exponential backoff. Jitter spreads the clients of a lost server over time.
    const longest = Math.min(MAX_PAUSE_MS, 500 * 2 ** this.#failures);
    const pause = atOnce && this.#failures === 0 ? 0 : longest * (0.5 + Math.random() / 2);
    this.#failures += 1;
    this.#setLink({ kind: 'waiting', retryAt: performance.now() + pause, reason });
    this.#retryTimer = setTimeout(() => this.connect(), pause);
  }

  /** @param {string} id @param {Subscription} subscription */
  #sendSubscribe(id, { destination, headers }) {
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
