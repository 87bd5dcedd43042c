import { type DestinationStream, type Logger, pino } from 'pino';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { CounterName, HistogramName, LogFields, LogLevel, Telemetry } from '../../application/ports/telemetry.ts';
import { errorFields, isDiskFull } from './error-fields.ts';

/** The lowest level that is written. */
export type LogThreshold = LogLevel | 'silent';

export interface SystemTelemetryOptions {
  /** Default `info`. */
  readonly level?: LogThreshold;
  /** Fields of every line, such as the server's id. */
  readonly base?: Readonly<Record<string, unknown>>;
  /** Where lines go; default: standard output. */
  readonly destination?: DestinationStream;
  /** Whether the process's own figures (memory, event loop, ...) are kept too. Default false. */
  readonly processMetrics?: boolean;
}

type Help<Name extends string> = Readonly<Record<Name, string>>;

const COUNTERS: Help<CounterName> = {
  events_stored: 'Events stored and numbered',
  append_batches: 'Batches given to the store',
  append_clashes: 'Batches whose number another server had taken',
  append_failures: 'Batches of unknown fate',
  gaps_held: 'Events held back until an earlier number came',
  gaps_read: 'Missing numbers read from the store',
  outbox_republished: 'Batches put on the bus again',
  resumes: 'Subscriptions that were brought up to date',
  resets: 'Subscriptions told to start over',
  refusals: 'Refused commands and queries',
  typing_dropped: 'Typing notices over the limit',
  notifications_sent: 'Notifications handed over',
  notifications_dropped: 'Notifications given up',
  presence_failures: 'Calls to presence that failed',
  presence_dropped: 'Presence notices over the budget',
  records_skipped: 'Records that could not be read',
  servers_given_up: 'Servers whose sessions were ended by this one',
};

const HISTOGRAMS: Readonly<Record<HistogramName, { readonly help: string; readonly buckets: number[] }>> = {
  append_ms: { help: 'Time of an append, ms', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] },
  append_batch_events: { help: 'Events of an append', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
  publish_ms: { help: 'Time of a publish, ms', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] },
};

/** Whatever a caller passes by mistake, these never reach a log. */
const SECRET_FIELDS = ['token', 'secret', 'authorization', 'content', 'text', 'password', 'body'];
const REDACTED = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]);

interface Instruments {
  readonly registry: Registry;
  readonly counters: ReadonlyMap<CounterName, Counter>;
  readonly histograms: ReadonlyMap<HistogramName, Histogram>;
}

/** Logs as lines of JSON (a line break or quote in a field can't forge one), figures for Prometheus, all named `chat_...`. */
export class SystemTelemetry implements Telemetry {
  /** For adapters that log in their own name. */
  readonly logger: Logger;
  readonly #instruments: Instruments;

  private constructor(logger: Logger, instruments: Instruments) {
    this.logger = logger;
    this.#instruments = instruments;
  }

  /** One for each server: figures of two servers in one process do not mix. */
  static create(options: SystemTelemetryOptions = {}): SystemTelemetry {
    const settings = {
      level: options.level ?? 'info',
      base: options.base ?? {},
      redact: REDACTED,
      serializers: { error: errorFields },
    };
    const logger = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
    const registry = new Registry();
    const registers = [registry];
    const counters = Object.entries(COUNTERS).map(([name, help]): [CounterName, Counter] => [
      name as CounterName,
      new Counter({ name: `chat_${name}_total`, help, registers }),
    ]);
    const histograms = Object.entries(HISTOGRAMS).map(([name, given]): [HistogramName, Histogram] => [
      name as HistogramName,
      new Histogram({ name: `chat_${name}`, ...given, registers }),
    ]);
    if (options.processMetrics) collectDefaultMetrics({ register: registry });
    return new SystemTelemetry(logger, { registry, counters: new Map(counters), histograms: new Map(histograms) });
  }

  /** The same figures, under the name of a subsystem in the logs. */
  of(subsystem: string): SystemTelemetry {
    return new SystemTelemetry(this.logger.child({ subsystem }), this.#instruments);
  }

  /** Adapters may register figures of their own here. */
  get registry(): Registry {
    return this.#instruments.registry;
  }

  count(name: CounterName, by = 1): void {
    this.#instruments.counters.get(name)?.inc(by);
  }

  observe(name: HistogramName, value: number): void {
    this.#instruments.histograms.get(name)?.observe(value);
  }

  log(level: LogLevel, what: string, fields?: LogFields): void {
    if (fields === undefined) this.logger[level](what);
    else this.logger[level === 'warn' && isDiskFull(fields.error) ? 'error' : level](fields, what);
  }
}
