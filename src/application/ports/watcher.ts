import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { SeenStep } from '../../domain/trace.ts';

/** The traces that a step belongs to. */
export type StepScope = 'user' | 'place' | 'both';

/**
 * Takes what clients send and get while a trace is active. It exists only during a trace, so that
 * its absence is the only check on the hot path. No method waits or throws.
 */
export interface Watcher {
  /** The users whom a trace follows. */
  readonly users: ReadonlySet<UserId>;
  /** The places that a trace follows. */
  readonly places: ReadonlySet<PlaceKey>;
  /**
   * Adds a step to the traces of its user and its place. Steps that no trace wants are ignored.
   * @param scope limits it to the traces of users or of places
   */
  saw(step: SeenStep, scope?: StepScope): void;
}
