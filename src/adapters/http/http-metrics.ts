import type { Response } from 'express';
import type { RefusalCode } from '../../domain/errors.ts';
import { LabelledCounts, LabelledDistributions, SECONDS } from '../support/figures.ts';

/**
 * Counts and measures the HTTP calls. `route` is always the pattern, never the path, so that ids do
 * not become labels.
 */
export class HttpMetrics {
  /** Seconds from the request to the end of its answer. */
  readonly requests = new LabelledDistributions(SECONDS, 'method', 'route', 'status');
  readonly refusals = new LabelledCounts('route', 'code');

  /** Measures the time from now until the answer has been sent. */
  timed(response: Response, method: string, route: string): void {
    const began = performance.now();
    response.once('close', () => {
      this.requests.observe((performance.now() - began) / 1_000, method, route, String(response.statusCode));
    });
  }

  refused(route: string, code: RefusalCode): void {
    this.refusals.add(route, code);
  }
}
