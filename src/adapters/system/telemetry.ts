import { type DestinationStream, type Logger, pino } from 'pino';
import type { Registry } from 'prom-client';
import type { CounterName, LogFields, LogLevel, Observation, Telemetry } from '../../application/ports/telemetry.ts';
import { Distribution, LabelledDistributions, SECONDS, SIZES } from '../support/figures.ts';
import { errorFields, isDiskFull } from './error-fields.ts';
import type { MetricName } from './metric-catalogue.ts';
import { Metrics } from './metrics.ts';

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

const COUNTERS: Readonly<Record<CounterName, MetricName>> = {
  events_stored: 'chat_events_stored_total',
  events_recovered: 'chat_events_recovered_total',
  append_batches: 'chat_append_batches_total',
  append_conflicts: 'chat_append_conflicts_total',
  append_failures: 'chat_append_failures_total',
  appends_refused: 'chat_appends_refused_total',
  gaps_held: 'chat_gaps_held_total',
  gaps_read: 'chat_gaps_read_total',
  retention_removed: 'chat_retention_removed_total',
  log_holes: 'chat_log_holes_total',
  outbox_republished: 'chat_outbox_republished_total',
  refusals: 'chat_refusals_total',
  typing_dropped: 'chat_typing_dropped_total',
  notifications_sent: 'chat_notifications_sent_total',
  notifications_dropped: 'chat_notifications_dropped_total',
  presence_failures: 'chat_presence_failures_total',
  moderator_failures: 'chat_moderator_failures_total',
  presence_dropped: 'chat_presence_dropped_total',
  records_skipped: 'chat_records_skipped_total',
  servers_given_up: 'chat_servers_given_up_total',
  member_lists_mended: 'chat_member_lists_mended_total',
  member_look_ups_limited: 'chat_member_look_ups_limited_total',
};

/** Fields that are never logged, even when a caller passes them by mistake. */
const SECRET_FIELDS = ['token', 'secret', 'authorization', 'content', 'text', 'password', 'body'];
const REDACTED = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]);

/** The fields that lines have besides those of their caller. */
interface LineFields {
  fields: () => object;
}

/** The values that the application counts and observes. */
class Figures {
  readonly counts: Record<CounterName, number>;
  readonly appendSeconds = new Distribution(SECONDS);
  readonly publishSeconds = new Distribution(SECONDS);
  readonly batchEvents = new Distribution(SIZES);
  readonly resumes = new LabelledDistributions(SIZES, 'result');

  constructor(metrics: Metrics) {
    const names = Object.entries(COUNTERS) as [CounterName, MetricName][];
    const counts = Object.fromEntries(names.map(([name]) => [name, 0])) as Record<CounterName, number>;
    this.counts = counts;
    for (const [name, metric] of names) metrics.read(metric, () => counts[name]);
    metrics.read('chat_append_clashes_total', () => counts.append_conflicts);
    metrics.read('chat_append_seconds', () => this.appendSeconds);
    metrics.read('chat_append_ms', () => this.appendSeconds.scaled(1_000));
    metrics.read('chat_append_batch_events', () => this.batchEvents);
    metrics.read('chat_publish_seconds', () => this.publishSeconds);
    metrics.read('chat_publish_ms', () => this.publishSeconds.scaled(1_000));
    metrics.read('chat_resume_events', () => this.resumes.samples());
    metrics.read('chat_resumes_total', () => this.resumes.count());
    metrics.read('chat_resets_total', () => this.resumes.count('reset'));
  }
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
  readonly metrics: Metrics;
  readonly #figures: Figures;
  readonly #lines: LineFields;

  private constructor(logger: Logger, metrics: Metrics, figures: Figures, lines: LineFields) {
    this.logger = logger;
    this.metrics = metrics;
    this.#figures = figures;
    this.#lines = lines;
  }

  /** Creates the telemetry of one server. The metrics of two servers in one process stay apart. */
  static create(options: SystemTelemetryOptions = {}): SystemTelemetry {
    const lines: LineFields = { fields: () => ({}) };
    const settings = {
      level: options.level ?? 'info',
      base: options.base ?? {},
      redact: REDACTED,
      serializers: { error: errorFields },
      mixin: () => lines.fields(),
    };
    const logger = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
    const metrics = new Metrics();
    if (options.processMetrics) metrics.measureProcess();
    return new SystemTelemetry(logger, metrics, new Figures(metrics), lines);
  }

  /** The same metrics, with the name of a subsystem in the log lines. */
  of(subsystem: string): SystemTelemetry {
    return new SystemTelemetry(this.logger.child({ subsystem }), this.metrics, this.#figures, this.#lines);
  }

  /** Adds the fields that this function returns to each line, also to those of subsystems. */
  addFields(fields: () => object): void {
    this.#lines.fields = fields;
  }

  get registry(): Registry {
    return this.metrics.registry;
  }

  count(name: CounterName, by = 1): void {
    this.#figures.counts[name] += by;
  }

  observe(observation: Observation): void {
    const { appendSeconds, publishSeconds, batchEvents, resumes } = this.#figures;
    switch (observation.kind) {
      case 'append':
        appendSeconds.observe(observation.seconds);
        batchEvents.observe(observation.events);
        break;
      case 'publish':
        publishSeconds.observe(observation.seconds);
        break;
      case 'resume':
        resumes.observe(observation.events, observation.result);
        break;
    }
  }

  log(level: LogLevel, what: string, fields?: LogFields): void {
    if (fields === undefined) this.logger[level](what);
    else this.logger[level === 'warn' && isDiskFull(fields.error) ? 'error' : level](fields, what);
  }
}
