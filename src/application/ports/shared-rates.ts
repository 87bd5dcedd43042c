import type { UserId } from '../../domain/ids.ts';

/** Actions whose rate is limited over all servers. */
export type RatedAction = 'message' | 'upload';

/** At most `actions` within a window of `seconds`. */
export interface SharedRate {
  readonly actions: number;
  readonly seconds: number;
}

export type SharedRateLimits = { readonly [Action in RatedAction]: SharedRate };

/**
 * Counts what users do on all servers together. Each server asks only for users who may also be at
 * another server, after its own count has let the action pass.
 *
 * Order: none. Errors: no method rejects, and each resolves within the adapter's timeout. Close: by
 * the owner of the adapter.
 */
export interface SharedRates {
  /**
   * Counts an action. Resolves to 0 if it is within the limit, otherwise to the milliseconds until
   * the next one may be. Null if the count cannot be reached: then each server's own limit holds.
   */
  take(action: RatedAction, userId: UserId): Promise<number | null>;
}
