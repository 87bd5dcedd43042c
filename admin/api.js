/**
 * @typedef {object} Server
 * @property {string} server
 * @property {string} version
 * @property {string} since
 * @property {number} sessions
 * @property {number} subscriptions
 * @property {number} deliveriesPerSecond
 * @property {number | null} messagesPerSecond
 * @property {number | null} lag
 * @property {number | null} eventLoopUtilization
 * @property {number | null} eventLoopDelayMs
 * @property {number | null} memoryBytes
 * @property {boolean} ready
 * @property {string[]} reasons
 * @property {string[]} degraded
 */
/**
 * @typedef {{ place: string, eventsPerSecond: number, deliveriesPerSecond: number,
 * subscriptions: number }} BusyPlace
 */
/**
 * @typedef {{ server: string, since: string, address: string, transport: string,
 * subscriptions: number, waitingBytes: number }} Client
 */
/** @typedef {Client & { userId: number }} SlowClient */
/** @typedef {Client & { places: string[] }} Session */
/**
 * @typedef {{ userId: number, until: string | null, reason: string | null, admin: string,
 * at: string }} Ban
 */
/**
 * @typedef {{ userId: number, place: string | null, until: string | null, admin: string,
 * at: string }} Mute
 */
/** @typedef {{ place: string, seconds: number, admin: string, at: string }} SlowMode */
/**
 * @typedef {object} Job
 * @property {string} id
 * @property {{ kind: string, dryRun: boolean, mode?: string, userId?: number | null,
 * days?: number | null, fileDays?: number | null }} task
 * @property {'waiting' | 'running' | 'done' | 'failed'} state
 * @property {Record<string, number>} counts
 * @property {string | null} error
 * @property {string} created
 * @property {string | null} finished
 * @property {string | null} next
 * @property {string[]} copies
 */
/** @typedef {{ admin: string, pageActions: boolean }} Me */

/** The server refused a call, or did not answer (status 0). */
export class CallFailed extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The address of the service API, beside the folder of this page. */
const BASE = new URL('../chat-server/service', document.baseURI).href;

/**
 * The calls of the service API in the name of one administrator. The token travels in a header
 * only, never in an address.
 */
export class Api {
  #token;

  /** @param {string} token */
  constructor(token) {
    this.#token = token;
  }

  /** @param {string} path */
  urlOf(path) {
    return `${BASE}/${path}`;
  }

  /**
   * Makes a call, and resolves to its JSON answer.
   * @param {string} method
   * @param {string} path below the address of the service API
   * @param {object | null} [body]
   * @returns {Promise<any>}
   * @throws {CallFailed}
   */
  async call(method, path, body = null) {
    const response = await this.open(method, path, body);
    return response.json();
  }

  /**
   * Makes a call, and resolves to the answer, whose body is not read yet.
   * @param {string} method
   * @param {string} path
   * @param {object | null} [body]
   * @param {AbortSignal | null} [signal]
   * @throws {CallFailed}
   */
  async open(method, path, body = null, signal = null) {
    const response = await fetch(this.urlOf(path), {
      method,
      headers: { authorization: `Bearer ${this.#token}` },
      body: body === null ? null : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal,
    }).catch((error) => {
      throw new CallFailed(0, `The server does not answer (${error.message}).`);
    });
    if (response.ok) return response;
    const answer = await response.json().catch(() => null);
    throw new CallFailed(response.status, answer?.message ?? `the server answered ${response.status}`);
  }

  /**
   * The same call as a command line, without the token.
   * @param {string} method
   * @param {string} path
   */
  curl(method, path) {
    const verb = method === 'GET' ? '' : ` -X ${method}`;
    return `curl${verb} -H "Authorization: Bearer $TOKEN" '${this.urlOf(path)}'`;
  }
}
