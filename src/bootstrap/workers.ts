import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';
import { releaseStartMemory } from '../adapters/support/release-start-memory.ts';
import { type PortWanted, WaitingRoom } from './waiting-room.ts';
import { workerNumber } from './worker-number.ts';

/** Pause before a worker that ended early is started again, so that a defect costs no core. */
const RESTART_MS = 1_000;
/** A worker that listened for this long is started again at once, in milliseconds. */
const PROVEN_MS = 10_000;
const STOP_MS = 25_000;

/**
 * A worker asks the primary process for the metrics of all workers. The answer has the same number.
 */
interface MetricsRequest {
  readonly metricsRequest: number;
}
interface MetricsAnswer {
  readonly metricsAnswer: number;
  readonly text: string;
}

/** Reads the metrics of all workers, from within any of them; null in a server of one process. */
export function sharedMetrics(registry: Registry): (() => Promise<string>) | null {
  if (workerNumber() === null) return null;
  AggregatorRegistry.setRegistries([registry]);
  // Created for the effect of its constructor: it answers the primary process.
  void new AggregatorRegistry();
  const waiting = new Map<number, (text: string) => void>();
  let last = 0;
  process.on('message', (message: Partial<MetricsAnswer>) => {
    if (message.metricsAnswer === undefined) return;
    waiting.get(message.metricsAnswer)?.(message.text ?? '');
    waiting.delete(message.metricsAnswer);
  });
  return () =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      process.send?.({ metricsRequest: last } satisfies MetricsRequest);
    });
}

export interface WorkersOptions {
  readonly count: number;
  /** The address of the clients' port. */
  readonly host: string;
  readonly port: number;
  /** Time over which a worker that stops closes its clients. */
  readonly drainSeconds: number;
  readonly log: (what: string, fields: Record<string, unknown>) => void;
  /** Called when the last worker has ended after a signal. */
  readonly stopped: () => void;
}

/**
 * Runs `count` workers behind one port. Starts a worker again when it ends, and stops all of them
 * on SIGTERM or SIGINT.
 */
export function runWorkers({ count, host, port, drainSeconds, log, stopped }: WorkersOptions): void {
  const room = new WaitingRoom({ host, port, log });
  /** The workers that listen on the clients' port, with the time since when. */
  const listening = new Map<Worker, number>();
  const running = new Map<number, Worker>();
  let stopping = false;
  const metrics = new AggregatorRegistry();
  const answer = async (worker: Worker, { metricsRequest }: Partial<MetricsRequest>): Promise<void> => {
    if (metricsRequest === undefined) return;
    // A worker that is starting does not answer. The text is empty then; the next one is complete.
    const text = await metrics.clusterMetrics().catch(() => '');
    if (worker.isConnected()) worker.send({ metricsAnswer: metricsRequest, text } satisfies MetricsAnswer);
  };
  const startLater = (number: number): void => {
    setTimeout(() => !stopping && start(number), RESTART_MS);
  };
  const start = (number: number): void => {
    let worker: Worker;
    try {
      worker = cluster.fork({ CHAT_WORKER: String(number) });
    } catch (error) {
      log('a worker could not be started and is tried again', { worker: number, error });
      startLater(number);
      return;
    }
    running.set(number, worker);
    worker.on('message', (message: Partial<MetricsRequest & PortWanted>) => {
      if (!room.hear(worker, message)) void answer(worker, message);
    });
    worker.on('listening', (address) => {
      if (address.port !== port || listening.has(worker)) return;
      listening.set(worker, performance.now());
      room.admit(worker, count - listening.size);
    });
    /** Starts the next worker. Does nothing where that has happened. */
    const ended = (code: number | null, signal: string | null): void => {
      if (running.get(number) !== worker) return;
      running.delete(number);
      const since = listening.get(worker) ?? Number.POSITIVE_INFINITY;
      const wasListening = listening.delete(worker);
      if (stopping) {
        if (running.size === 0) stopped();
        return;
      }
      if (wasListening && listening.size === 0) room.open();
      log('a worker ended and is started again', { worker: number, code, signal });
      if (performance.now() - since >= PROVEN_MS) start(number);
      else startLater(number);
    };
    worker.on('exit', ended);
    // The process could not be started, or ended while a message or a client was on its way to it.
    worker.on('error', (error) => {
      log('a worker has an error', { worker: number, error: error.message });
      // A process that was not started does not exit.
      if (worker.process.pid === undefined) ended(null, null);
    });
  };
  for (let number = 1; number <= count; number++) start(number);
  releaseStartMemory();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      room.dismiss();
      log('stopping', { signal, workers: running.size });
      for (const worker of running.values()) worker.process.kill('SIGTERM');
      if (running.size === 0) stopped();
      // The longest time that an ordered stop of a worker takes.
      setTimeout(
        () => {
          for (const worker of running.values()) worker.process.kill('SIGKILL');
        },
        STOP_MS + drainSeconds * 1_000,
      ).unref();
    });
  }
}
