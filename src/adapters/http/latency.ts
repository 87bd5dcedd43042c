import type { Response } from 'express';
import { Histogram, type Registry } from 'prom-client';

/** Measures an answer from now until it is out; `route` is the pattern, never the path. */
export type Latency = (response: Response, method: string, route: string) => void;

export function createLatency(registry: Registry): Latency {
  const histogram = new Histogram({
    name: 'chat_http_request_seconds',
    help: 'Time from the request to the end of its answer, by route pattern.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return (response, method, route) => {
    const done = histogram.startTimer({ method, route });
    response.once('close', () => done({ status: String(response.statusCode) }));
  };
}
