import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Histogram } from '../../src/bootstrap/cli/load/histogram.ts';

const PROGRAM = fileURLToPath(new URL('./fleet-process.ts', import.meta.url));
/** Below the usual limit of open files of a process, 20,000. */
const USERS_EACH = 12_000;

/** The part of the users that one process of the generator has. */
export interface FleetSetUp {
  /** All users, over all processes. */
  readonly users: number;
  readonly roomSize: number;
  readonly port: number;
  readonly address: string;
  /** The first user of this process, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

export type FleetCommand =
  | { readonly kind: 'connect'; readonly atOnce: number }
  | { readonly kind: 'talk'; readonly perSecond: number }
  | { readonly kind: 'hush' }
  /** From now on, clients that come back resume, and the time of their return is measured. */
  | { readonly kind: 'killed'; readonly at: number }
  | { readonly kind: 'settled' }
  | { readonly kind: 'end' };

/** The first four fields say what has happened since the last report, the others are sums. */
export interface FleetReport {
  /** Milliseconds from the time when a message was due to each subscriber's copy. */
  readonly latencies: Float64Array;
  /** Milliseconds from the kill to the last receipt of each client that came back. */
  readonly returns: Float64Array;
  /** Failed attempts to connect, by the reason. */
  readonly failures: Readonly<Record<string, number>>;
  /** Connections that ended. */
  readonly lost: number;
  readonly connected: number;
  readonly sent: number;
  readonly expected: number;
  readonly delivered: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
}

interface Part {
  readonly child: ChildProcess;
  last: FleetReport | null;
  done: PromiseWithResolvers<void>;
}

/** Many clients in several processes, each with an address of its own. */
export class Fleet {
  /** Of all messages since the last {@link forgetLatency}. */
  latency = new Histogram();
  readonly returns = new Histogram();
  /** Failed attempts to connect, by the reason. */
  readonly #failures = new Map<string, number>();
  lost = 0;
  readonly #parts: readonly Part[];

  constructor(users: number, roomSize: number, port: number) {
    const count = Math.ceil(users / USERS_EACH);
    const each = Math.ceil(users / count);
    this.#parts = Array.from({ length: count }, (_, i) => {
      const [from, to] = [1 + i * each, Math.min(users, (i + 1) * each) + 1];
      const setUp: FleetSetUp = { users, roomSize, port, address: `127.0.0.${i + 2}`, from, to };
      const child = fork(PROGRAM, [JSON.stringify(setUp)], { serialization: 'advanced' });
      const part: Part = { child, last: null, done: Promise.withResolvers() };
      child.on('message', (message: { readonly done: boolean; readonly report: FleetReport }) => {
        this.#take(part, message.report);
        if (message.done) part.done.resolve();
      });
      child.once('exit', (code) => part.done.reject(new Error(`a process of the generator ended with ${code}`)));
      part.done.promise.catch(() => {});
      return part;
    });
  }

  /** Gives the command to all processes. Resolves when all of them have done it. */
  async order(command: FleetCommand): Promise<void> {
    await Promise.all(
      this.#parts.map((part) => {
        part.done = Promise.withResolvers();
        part.child.send(command);
        return part.done.promise;
      }),
    );
  }

  /** Connects all clients. @param atOnce connections under way at once */
  async connect(atOnce: number): Promise<void> {
    await this.order({ kind: 'connect', atOnce: Math.ceil(atOnce / this.#parts.length) });
  }

  async talk(perSecond: number): Promise<void> {
    await this.order({ kind: 'talk', perSecond: perSecond / this.#parts.length });
  }

  /** The failed attempts in one line. They are forgotten then. */
  takeFailures(): string {
    const failed = [...this.#failures].sort(([, one], [, other]) => other - one);
    this.#failures.clear();
    return failed.map(([reason, count]) => `${count} x ${reason}`).join('; ') || 'none';
  }

  forgetLatency(): void {
    this.latency = new Histogram();
  }

  /** Closes all clients, and ends the processes. */
  end(): void {
    for (const { child } of this.#parts) if (child.connected) child.send({ kind: 'end' } satisfies FleetCommand);
  }

  get processes(): number {
    return this.#parts.length;
  }

  sum(field: 'connected' | 'sent' | 'expected' | 'delivered' | 'duplicated' | 'outOfOrder'): number {
    return this.#parts.reduce((sum, { last }) => sum + (last?.[field] ?? 0), 0);
  }

  #take(part: Part, report: FleetReport): void {
    part.last = report;
    for (const ms of report.latencies) this.latency.add(ms);
    for (const ms of report.returns) this.returns.add(ms);
    for (const [reason, count] of Object.entries(report.failures)) {
      this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + count);
    }
    this.lost += report.lost;
  }
}
