import type { Response } from 'express';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { RefusalCode } from '../../domain/errors.ts';

export interface HttpMetrics {
  /** Measures the time from now until the answer has been sent. */
  timed(response: Response, method: string, route: string): void;
  refused(route: string, code: RefusalCode): void;
}

/**
 * The metrics of the HTTP calls. `route` is always the pattern, never the path, so that ids do not
 * become labels.
 */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const latency = new Histogram({
    name: 'chat_http_request_seconds',
    help: 'Time from the request to the end of its answer, by route pattern.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const refusals = new Counter({
    name: 'chat_http_refusals_total',
    help: 'HTTP calls that were refused, by route pattern and reason.',
    labelNames: ['route', 'code'],
    registers: [registry],
  });
  return {
    timed(response, method, route) {
      const done = latency.startTimer({ method, route });
      response.once('close', () => done({ status: String(response.statusCode) }));
    },
    refused: (route, code) => refusals.inc({ route, code }),
  };
}
