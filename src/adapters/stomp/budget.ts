/** How much a {@link Budget} holds. */
export interface Allowance {
  /** Units that may be spent at once. */
  readonly max: number;
  /** Units that come back each second. */
  readonly perSecond: number;
}

/**
 * Counts what a connection spends of one allowance. Plain numbers: there is one for each
 * connection.
 */
export class Budget {
  readonly #allowance: Allowance;
  #spent = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** Spends one unit. False: more than the allowance is spent. */
  spend(): boolean {
    this.#spent += 1;
    return this.#spent <= this.#allowance.max;
  }

  /** To be called once a second. */
  refill(): void {
    if (this.#spent > 0) this.#spent = Math.max(0, this.#spent - this.#allowance.perSecond);
  }
}
