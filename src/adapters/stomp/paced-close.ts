import type { Clock } from '../../application/ports/clock.ts';

/** Milliseconds between two groups of sessions that are closed. */
const STEP_MS = 100;

export interface Closable {
  readonly isOver: boolean;
  drain(code: number, reason: string): void;
}

export interface PacedClose {
  readonly sessions: readonly Closable[];
  readonly code: number;
  readonly reason: string;
  /** Time over which the closes are spread evenly, in milliseconds. */
  readonly overMs: number;
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
}

/**
 * Closes sessions one after the other, so that their clients do not all connect to the remaining
 * servers at once. Resolves when each session was asked to close. A session that ends by itself
 * meanwhile leaves more time to the others.
 */
export function closePaced({ sessions, code, reason, overMs, clock }: PacedClose): Promise<void> {
  const end = clock.monotonic() + overMs;
  let waiting = [...sessions];
  return new Promise((resolve) => {
    const step = (): void => {
      waiting = waiting.filter((session) => !session.isOver);
      const steps = Math.max(1, Math.ceil((end - clock.monotonic()) / STEP_MS));
      for (const session of waiting.splice(0, Math.ceil(waiting.length / steps))) session.drain(code, reason);
      if (waiting.length === 0) resolve();
      else clock.after(STEP_MS, step);
    };
    step();
  });
}
