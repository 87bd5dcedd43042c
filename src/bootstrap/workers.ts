import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';

const RESTART_MS = 1_000;
const STOP_MS = 25_000;

/** The number of this process among the workers, from 1; null in a server of one process. */
export function workerNumber(): number | null {
  const number = Number(process.env.CHAT_WORKER);
  return cluster.isWorker && Number.isInteger(number) && number > 0 ? number : null;
}

/** What a worker asks of the primary process, and is answered under the same number. */
interface MetricsAsked {
  readonly metricsAsked: number;
}
interface MetricsTold {
  readonly metricsTold: number;
  readonly text: string;
}

/** Lets the figures of all workers be read at any of them; null in a server of one process. */
export function sharedMetrics(registry: Registry): (() => Promise<string>) | null {
  if (workerNumber() === null) return null;
  AggregatorRegistry.setRegistries([registry]);
  // Made for what its constructor does: it listens to the primary.
  void new AggregatorRegistry();
  const waiting = new Map<number, (text: string) => void>();
  let last = 0;
  process.on('message', (message: Partial<MetricsTold>) => {
    if (message.metricsTold === undefined) return;
    waiting.get(message.metricsTold)?.(message.text ?? '');
    waiting.delete(message.metricsTold);
  });
  return () =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      process.send?.({ metricsAsked: last } satisfies MetricsAsked);
    });
}

/** Runs `count` workers behind one port, starts anew who dies, and stops all of them on SIGTERM or SIGINT. */
export function runWorkers(count: number, log: (what: string, fields: Record<string, unknown>) => void): void {
  const running = new Map<number, Worker>();
  let stopping = false;
  const metrics = new AggregatorRegistry();
  const answer = async (worker: Worker, { metricsAsked }: Partial<MetricsAsked>): Promise<void> => {
    if (metricsAsked === undefined) return;
    // A worker that is starting does not answer; the text is empty then, and the next one is not.
    const text = await metrics.clusterMetrics().catch(() => '');
    if (worker.isConnected()) worker.send({ metricsTold: metricsAsked, text } satisfies MetricsTold);
  };
  const start = (number: number): void => {
    const worker = cluster.fork({ CHAT_WORKER: String(number) });
    running.set(number, worker);
    worker.on('message', (message: Partial<MetricsAsked>) => void answer(worker, message));
    worker.on('exit', (code, signal) => {
      running.delete(number);
      if (stopping) return;
      log('a worker ended and is started anew', { worker: number, code, signal });
      setTimeout(() => !stopping && start(number), RESTART_MS);
    });
  };
  for (let number = 1; number <= count; number++) start(number);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      log('stopping', { signal, workers: running.size });
      for (const worker of running.values()) worker.process.kill('SIGTERM');
      // The longest that a worker's ordered stop takes.
      setTimeout(() => {
        for (const worker of running.values()) worker.process.kill('SIGKILL');
      }, STOP_MS).unref();
    });
  }
}
