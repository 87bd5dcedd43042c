/** What an endpoint counts, since its start. */
export interface Counts {
  /** Live subscriptions now. */
  subscriptions: number;
  /** Events handed to live subscriptions. */
  delivered: number;
  /** Events of little value that slow connections did not get. */
  spared: number;
  /** Refused frames. */
  refused: number;
  /** Of these, those of which the client was not told, since it asked neither for its errors nor for a receipt. */
  unheard: number;
}

export function zeroCounts(): Counts {
  return { subscriptions: 0, delivered: 0, spared: 0, refused: 0, unheard: 0 };
}
