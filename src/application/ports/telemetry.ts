/**
 * Counts, measures and logs what the application does. No method throws or waits.
 *
 * A log line has a fixed text, and fields for all that varies. Fields are ids and numbers, never
 * message texts, names or tokens.
 */
export interface Telemetry {
  count(name: CounterName, by?: number): void;
  observe(observation: Observation): void;
  /** Writes a log line. The level `error` means that somebody must act. */
  log(level: LogLevel, what: string, fields?: LogFields): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogFields {
  readonly [name: string]: unknown;
  /**
   * The caught value itself: the adapter logs its message, code, stack and causes. A text is logged
   * as it is.
   */
  readonly error?: unknown;
}

export type CounterName =
  | 'events_stored'
  | 'events_recovered'
  | 'append_batches'
  | 'append_conflicts'
  | 'append_failures'
  | 'appends_refused'
  | 'gaps_held'
  | 'gaps_read'
  | 'log_holes'
  | 'retention_removed'
  | 'outbox_republished'
  | 'refusals'
  | 'typing_dropped'
  | 'notifications_sent'
  | 'notifications_dropped'
  | 'presence_failures'
  | 'presence_dropped'
  | 'records_skipped'
  | 'servers_given_up'
  | 'member_lists_mended'
  | 'member_look_ups_limited'
  | 'moderator_failures';

/** Something that was measured. */
export type Observation =
  | { readonly kind: 'append' | 'publish'; readonly seconds: number; readonly events: number }
  | { readonly kind: 'resume'; readonly result: ResumeResult; readonly events: number };

/**
 * How a resume ended. `replayed`: the subscription is live. `reset`: the client had to start over.
 * `broken`: the connection or the subscription ended first. `failed`: the events could not be read.
 */
export type ResumeResult = 'replayed' | 'reset' | 'broken' | 'failed';
