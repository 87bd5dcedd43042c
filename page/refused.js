/** A refusal of the server. `code` is its number, such as 2103; 0 if it gave none. */
export class Refused extends Error {
  /**
   * @param {number} code @param {string} message
   * @param {number} [retryAfterMs] the pause that the server asks for, in milliseconds
   */
  constructor(code, message, retryAfterMs) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** True for a rate limit or a service that is down. The same request may succeed later. */
  get isTemporary() {
    return this.code === 2429 || this.code === 2503;
  }
}
