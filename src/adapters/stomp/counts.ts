/** Counters of an endpoint since its start. */
export interface Counts {
  /** Live subscriptions now. */
  subscriptions: number;
  /** Events handed to live subscriptions. */
  delivered: number;
  /** Events of low value that were not sent to slow connections. */
  spared: number;
  /** Refused commands. */
  refused: number;
  /**
   * Refused commands that were not reported: the client had asked for neither errors nor a receipt.
   * Part of `refused`.
   */
  unheard: number;
  /** ERROR frames. Each has ended a connection. */
  errors: number;
}

export function zeroCounts(): Counts {
  return { subscriptions: 0, delivered: 0, spared: 0, refused: 0, unheard: 0, errors: 0 };
}
