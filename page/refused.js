/** The server said no. `code` is its number, e.g. 2103; 0 where it gave none. */
export class Refused extends Error {
  /** @param {number} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  /** Too fast, or something behind the server is away: the same may work soon. */
  get isPassing() {
    return this.code === 2429 || this.code === 2503;
  }
}
