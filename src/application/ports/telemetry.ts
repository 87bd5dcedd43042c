/** Counters and logs of the application. Fields are ids and numbers, never message text, names or tokens. */
export interface Telemetry {
  count(name: CounterName, by?: number): void;
  observe(name: HistogramName, value: number): void;
  /** `error` means that someone must act. */
  log(level: 'debug' | 'info' | 'warn' | 'error', what: string, fields?: Readonly<Record<string, unknown>>): void;
}

export type CounterName =
  | 'events_stored'
  | 'append_batches'
  | 'append_clashes'
  | 'append_failures'
  | 'gaps_held'
  | 'gaps_read'
  | 'outbox_republished'
  | 'resumes'
  | 'resets'
  | 'refusals'
  | 'typing_dropped'
  | 'notifications_sent'
  | 'notifications_dropped'
  | 'presence_failures'
  | 'presence_dropped'
  | 'records_skipped'
  | 'servers_given_up';

export type HistogramName = 'append_ms' | 'append_batch_events' | 'publish_ms';
