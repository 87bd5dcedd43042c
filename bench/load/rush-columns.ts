import type { RushResult } from './rush.ts';
import { spread, table } from './table.ts';

/** CPU of one group of processes for one message, in microseconds. */
function perMessage(run: RushResult, group: number): number {
  return ((run.usage.cpu[group] ?? 0) * 1e6) / (run.sendsPerSecond * run.usage.seconds);
}

function each(of: (run: RushResult) => number, digits = 0): (runs: readonly RushResult[]) => string {
  return (runs) => spread(runs.map(of), digits);
}

/** The columns that a table can have. Groups of processes: chat server, MongoDB, Kafka. */
const COLUMNS = {
  'messages/s': each((run) => run.sendsPerSecond),
  'deliveries/s': each((run) => run.deliveriesPerSecond),
  'CPU µs a delivery': each((run) => run.cpuPerDelivery, 2),
  'p50 ms': each((run) => run.latency.at(0.5), 1),
  'p99 ms': each((run) => run.latency.at(0.99), 1),
  'receipt p50': each((run) => run.receipts.at(0.5), 1),
  'receipt p99': each((run) => run.receipts.at(0.99), 1),
  'Node µs a message': each((run) => perMessage(run, 0)),
  mongod: each((run) => perMessage(run, 1)),
  Kafka: each((run) => perMessage(run, 2)),
  'RSS peak MiB': each((run) => run.usage.rssPeak),
  'lost / twice / disordered': (runs: readonly RushResult[]) =>
    runs.map((run) => `${run.lost}/${run.duplicated}/${run.outOfOrder}`).join(' '),
  'others, cores': each((run) => run.usage.others, 2),
};

export type RushColumn = keyof typeof COLUMNS;

/**
 * Prints a table with a row for each kind of run: min / median / max of several runs. `more`: other
 * rows with some of the columns.
 */
export function rushTable(
  columns: readonly RushColumn[],
  rows: Iterable<readonly [string, readonly RushResult[]]>,
  more: readonly (readonly [string, Partial<Record<RushColumn, string>>])[] = [],
): void {
  table(
    ['', ...columns],
    [
      ...more.map(([name, cells]) => [name, ...columns.map((column) => cells[column] ?? '')]),
      ...[...rows].map(([name, runs]) => [name, ...columns.map((column) => COLUMNS[column](runs))]),
    ],
  );
}
