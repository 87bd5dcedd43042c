import { Refused } from './refused.js';

/**
 * A message in the form that the history has. Live frames are converted to the same form.
 * @typedef {object} Entry
 * @property {string} id
 * @property {number} userId
 * @property {string} name
 * @property {string} message the text, or the link of a file
 * @property {string | null} thumbnail
 * @property {'reply' | 'image' | 'video' | 'file' | null} fileType
 * @property {string} time
 * @property {string | null} parentId
 * @property {string | null} parentName
 * @property {string | null} parentContent
 * @property {number | null} seq
 * @property {boolean} edited
 * @property {string | null} nonce
 */
/** @typedef {{ place: string, count: number, seq: number }} Unread */
/** @typedef {import('./world.js').World} World */
/**
 * @typedef {{ isSuccess?: boolean, code?: number, message?: string, result?: unknown,
 * 'retry-after-ms'?: number }} Answer
 */

const TOKEN_REFUSED = 2102;

/** @returns {Promise<World>} */
export async function fetchWorld() {
  const response = await fetch('/demo/world');
  if (!response.ok) throw new Refused(0, `the server answered ${response.status}`);
  return response.json();
}

/** The HTTP calls of one user. */
export class Api {
  #userId;
  /** @type {Promise<string> | null} */
  #token = null;

  /** @param {number} userId */
  constructor(userId) {
    this.#userId = userId;
  }

  /** Gets a new token. Later calls use it too. @returns {Promise<string>} */
  freshToken() {
    const token = fetchToken(this.#userId);
    this.#token = token;
    token.catch(() => {
      if (this.#token === token) this.#token = null;
    });
    return token;
  }

  /**
   * Reads a part of a place's history: the newest entries, or the entries before a number.
   * @param {import('./world.js').Place} place
   * @param {number} size
   * @param {number} [before]
   * @returns {Promise<{ entries: Entry[], seq: number }>}
   */
  async history({ kind, id }, size, before) {
    const range = before === undefined ? 'page=0' : `before=${before}`;
    const call = kind === 'room' ? 'direct' : 'community';
    const response = await this.#get(`/chat-server/${call}?ch_id=${id}&${range}&size=${size}`);
    return { entries: await resultOf(response), seq: Number(response.headers.get('chat-seq') ?? 0) };
  }

  /** @param {string[]} places @returns {Promise<Unread[]>} */
  async unread(places) {
    return places.length === 0 ? [] : resultOf(await this.#get(`/chat-server/unread?places=${places.join(',')}`));
  }

  /** @param {string} place `r-5`, `c-11` or `com-1` @returns {Promise<number[]>} */
  async online(place) {
    /** @type {string[]} */
    const ids = await resultOf(await this.#get(`/chat-server/online?place=${place}`));
    return ids.map(Number);
  }

  /**
   * @param {string} path
   * @param {FormData} form
   * @param {(share: number) => void} onProgress from 0 to 1
   * @param {AbortSignal} signal
   * @returns {Promise<void>} @throws Refused, or TypeError if the server cannot be reached
   */
  async upload(path, form, onProgress, signal) {
    const token = await this.#currentToken();
    // fetch does not report how much of a body was sent.
    const request = new XMLHttpRequest();
    signal.addEventListener('abort', () => request.abort());
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.open('POST', path);
    request.setRequestHeader('authorization', token);
    const answer = await new Promise((resolve, reject) => {
      request.onload = () => resolve(request.responseText);
      request.onerror = () => reject(new TypeError('the server cannot be reached'));
      request.onabort = () => reject(new TypeError('cancelled'));
      request.send(form);
    });
    const refused = refusalIn(parsed(answer), request.status);
    if (refused !== null) throw this.#noticed(refused);
  }

  /** @param {string} path */
  async #get(path) {
    for (let attempt = 0; ; attempt += 1) {
      const response = await fetch(path, { headers: { authorization: await this.#currentToken() } });
      if (response.ok) return response;
      const refused = this.#noticed(refusalIn(parsed(await response.text()), response.status));
      if (refused.code !== TOKEN_REFUSED || attempt > 0) throw refused;
    }
  }

  /** Forgets the token if the server refused it. @param {Refused | null} refused */
  #noticed(refused) {
    if (refused?.code === TOKEN_REFUSED) this.#token = null;
    return refused ?? new Refused(0, 'the server sent an answer that cannot be read');
  }

  #currentToken() {
    return this.#token ?? this.freshToken();
  }
}

/** @param {number} userId @returns {Promise<string>} */
async function fetchToken(userId) {
  const response = await fetch('/demo/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId }),
  });
  const answer = parsed(await response.text());
  const refused = refusalIn(answer, response.status);
  if (refused !== null) throw refused;
  return /** @type {{ token: string }} */ (/** @type {unknown} */ (answer)).token;
}

/** @param {Response} response */
async function resultOf(response) {
  return (await response.json()).result;
}

/** @param {Answer} answer @param {number} status @returns {Refused | null} */
function refusalIn(answer, status) {
  if (status < 400 && answer.isSuccess !== false) return null;
  const { code = 0, message = `the server answered ${status}`, 'retry-after-ms': retryAfterMs } = answer;
  return new Refused(code, message, retryAfterMs);
}

/** @param {string} text @returns {Answer} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
