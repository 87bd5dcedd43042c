import type { Clock, Timer } from '../ports/clock.ts';

export interface OverdueCheckParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
  /** False when appends work again or nothing waits. Then the checks end. */
  readonly isNeeded: () => boolean;
  /** Refuses what has waited since `limit` or longer, on the monotonic clock in milliseconds. */
  readonly refuse: (limit: number) => void;
}

/** While appends fail, a proposal is refused after this time. */
const MAX_WAIT_MS = 5_000;
const INTERVAL_MS = 500;

/**
 * Refuses the proposals that have waited for too long, until an append works again. Otherwise a
 * proposal would wait behind the failing appends of others, each with the store's own timeout.
 */
export class OverdueCheck {
  readonly #parts: OverdueCheckParts;
  #timer: Timer | null = null;

  constructor(parts: OverdueCheckParts) {
    this.#parts = parts;
  }

  /** An append failed. */
  begin(): void {
    const { clock, isNeeded, refuse } = this.#parts;
    this.#timer ??= clock.after(INTERVAL_MS, () => {
      this.#timer = null;
      if (!isNeeded()) return;
      refuse(clock.monotonic() - MAX_WAIT_MS);
      this.begin();
    });
  }
}
