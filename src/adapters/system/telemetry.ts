import { type DestinationStream, type Logger, pino } from 'pino';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { CounterName, HistogramName, LogFields, LogLevel, Telemetry } from '../../application/ports/telemetry.ts';
import { errorFields, isDiskFull } from './error-fields.ts';

/** The lowest level that is written. */
export type LogThreshold = LogLevel | 'silent';

export interface SystemTelemetryOptions {
  /** Default `info`. */
  readonly level?: LogThreshold;
  /** Fields of every line, such as the id of the server. */
  readonly base?: Readonly<Record<string, unknown>>;
  /** Destination of the lines; default: standard output. */
  readonly destination?: DestinationStream;
  /** True to measure the process too: memory, event loop, ... Default false. */
  readonly processMetrics?: boolean;
}

type Help<Name extends string> = Readonly<Record<Name, string>>;

const COUNTERS: Help<CounterName> = {
  events_stored: 'Events stored and numbered',
  append_batches: 'Batches stored',
  append_clashes: 'Batches whose first number another server had taken',
  append_failures: 'Batches of which it is unknown whether they were stored',
  appends_refused: 'Batches that the store refused, for example because its disk is full',
  gaps_held: 'Events held back until an earlier number arrived',
  gaps_read: 'Missing numbers read from the store',
  log_holes: 'Holes that were found in the event log',
  outbox_republished: 'Batches published again from the outbox',
  resumes: 'Subscriptions resumed with a replay',
  resets: 'Subscriptions that had to start over',
  refusals: 'Refused commands and queries',
  typing_dropped: 'Typing notices dropped over the limit',
  notifications_sent: 'Notifications sent',
  notifications_dropped: 'Notifications dropped',
  presence_failures: 'Failed calls to the presence service',
  presence_dropped: 'Presence notices dropped over the budget',
  records_skipped: 'Records that could not be decoded',
  servers_given_up: 'Servers whose sessions this server ended',
  member_lists_mended: 'Member lists that the directory changed without a report',
  member_look_ups_limited: 'Look-ups of users in the directory that a limit prevented',
};

const HISTOGRAMS: Readonly<Record<HistogramName, { readonly help: string; readonly buckets: number[] }>> = {
  append_ms: { help: 'Time of an append, ms', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] },
  append_batch_events: { help: 'Events of an append', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
  publish_ms: { help: 'Time of a publish, ms', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] },
};

/** Fields that are never logged, even when a caller passes them by mistake. */
const SECRET_FIELDS = ['token', 'secret', 'authorization', 'content', 'text', 'password', 'body'];
const REDACTED = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]);

interface Instruments {
  readonly registry: Registry;
  readonly counters: ReadonlyMap<CounterName, Counter>;
  readonly histograms: ReadonlyMap<HistogramName, Histogram>;
}

/**
 * Logs lines of JSON, and keeps metrics for Prometheus that are named `chat_...`. A line break or
 * quote in a field cannot forge a line.
 *
 * An error with a full disk among its causes is logged at level error: no retry helps, somebody
 * must act.
 */
export class SystemTelemetry implements Telemetry {
  /** For adapters that use pino themselves. */
  readonly logger: Logger;
  readonly #instruments: Instruments;

  private constructor(logger: Logger, instruments: Instruments) {
    this.logger = logger;
    this.#instruments = instruments;
  }

  /** Creates the telemetry of one server. The metrics of two servers in one process stay apart. */
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

  /** The same metrics, with the name of a subsystem in the log lines. */
  of(subsystem: string): SystemTelemetry {
    return new SystemTelemetry(this.logger.child({ subsystem }), this.#instruments);
  }

  /** Adapters may register their own metrics here. */
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
