import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { SharedRateLimits } from '../../application/ports/shared-rates.ts';
import { LibraryRates } from '../support/shared-limits.ts';

/** Counts in the memory of one process, for the workers that ask it. */
export class MemorySharedRates extends LibraryRates {
  constructor(limits: SharedRateLimits) {
    super(limits, (options) => new RateLimiterMemory(options));
  }
}
