export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** The HELP line. */
  readonly help: string;
  readonly labels?: readonly string[];
  /** How the values of several workers become one. Default: their sum. */
  readonly aggregator?: 'min' | 'max' | 'first';
  /** The expression to use instead. The metric will be removed in the next version. */
  readonly replacedBy?: string;
}

/**
 * Every metric of the server, by name. Times are in seconds and sizes in bytes. Each is always
 * present in `/metrics`; a labelled one gets its values when they first occur.
 * docs/reference/metrics.md describes them for operators. A test compares the page with this table.
 */
export const METRICS = {
  chat_delivery_seconds: {
    type: 'histogram',
    help: 'Time to the last socket of an event, from the SEND (local) or from the record (bus)',
    labels: ['path'],
  },
  chat_receipt_seconds: { type: 'histogram', help: 'Time from a SEND of a stored event to its RECEIPT' },
  chat_events_stored_total: { type: 'counter', help: 'Events stored and numbered' },
  chat_events_delivered_total: { type: 'counter', help: 'Events sent to live subscriptions' },
  chat_events_spared_total: {
    type: 'counter',
    help: 'Events of low value that were not sent to slow connections',
  },
  chat_events_recovered_total: {
    type: 'counter',
    help: 'Events that subscribers got from the store, because no record had brought them',
  },

  chat_frames_received_total: { type: 'counter', help: 'Frames from clients', labels: ['kind'] },
  chat_frames_sent_total: { type: 'counter', help: 'Frames to clients', labels: ['kind'] },
  chat_frames_refused_total: { type: 'counter', help: 'Refused frames', labels: ['code'] },
  chat_frames_unheard_total: {
    type: 'counter',
    help: 'Refused frames that were not reported, because the client asked for neither errors nor a receipt',
  },
  chat_frames_fatal_total: { type: 'counter', help: 'ERROR frames; each ended a connection', labels: ['code'] },

  chat_connections: { type: 'gauge', help: 'Connections now, including those before CONNECT', labels: ['transport'] },
  chat_connects_total: { type: 'counter', help: 'CONNECT frames, by ok or the reason of refusal', labels: ['result'] },
  chat_closes_total: { type: 'counter', help: 'Ended connections', labels: ['code', 'reason'] },
  chat_subscriptions: { type: 'gauge', help: 'Live subscriptions now' },
  chat_waiting_bytes: { type: 'gauge', help: 'Bytes that wait for all connections together' },
  chat_waiting_bytes_max: {
    type: 'gauge',
    help: 'Bytes that wait for the connection with the most',
    aggregator: 'max',
  },
  chat_resume_events: { type: 'histogram', help: 'Events of a resume, by its result', labels: ['result'] },

  chat_append_seconds: { type: 'histogram', help: 'Time of an append' },
  chat_append_batch_events: { type: 'histogram', help: 'Events of an append' },
  chat_append_batches_total: { type: 'counter', help: 'Batches stored' },
  chat_append_conflicts_total: { type: 'counter', help: 'Batches whose first number another server had taken' },
  chat_append_failures_total: { type: 'counter', help: 'Batches of which it is unknown whether they were stored' },
  chat_appends_refused_total: {
    type: 'counter',
    help: 'Batches that the store refused, for example because its disk is full',
  },
  chat_gaps_held_total: { type: 'counter', help: 'Events held back until an earlier number arrived' },
  chat_gaps_read_total: { type: 'counter', help: 'Missing numbers read from the store' },
  chat_retention_removed_total: { type: 'counter', help: 'Messages that retention removed on this server' },
  chat_retention_finished_seconds: {
    type: 'gauge',
    help: 'Time of the last complete retention run of this server, in seconds since 1970; 0 before',
    aggregator: 'max',
  },
  chat_jobs_running: { type: 'gauge', help: 'Jobs of retention and erasure that run on this server' },
  chat_log_holes_total: { type: 'counter', help: 'Holes that were found in the event log' },

  chat_publish_seconds: { type: 'histogram', help: 'Time of a publish' },
  chat_publish_waiting_events: { type: 'gauge', help: 'Stored events that wait in this process for the bus' },
  chat_outbox_waiting_batches: {
    type: 'gauge',
    help: 'Stored batches that have waited for the bus for some seconds; 200 stands for 200 or more',
    aggregator: 'max',
  },
  chat_outbox_republished_total: { type: 'counter', help: 'Batches published again from the outbox' },
  chat_records_skipped_total: { type: 'counter', help: 'Records that could not be decoded' },
  chat_kafka_lag_records: {
    type: 'gauge',
    help: 'Records of a topic that this server has not read yet',
    labels: ['topic'],
    aggregator: 'max',
  },
  chat_kafka_heartbeat_age_seconds: {
    type: 'gauge',
    help: 'Time since the last heart-beat of the consumer of a topic',
    labels: ['topic'],
    aggregator: 'max',
  },
  chat_kafka_consumer_restarts_total: { type: 'counter', help: 'Consumers that were replaced', labels: ['topic'] },

  chat_call_seconds: {
    type: 'histogram',
    help: 'Time of a call of the store or a neighbour',
    labels: ['part', 'operation', 'outcome'],
  },
  chat_http_request_seconds: {
    type: 'histogram',
    help: 'Time from the request to the end of its answer, by route pattern',
    labels: ['method', 'route', 'status'],
  },
  chat_http_refusals_total: {
    type: 'counter',
    help: 'HTTP calls that were refused, by route pattern and reason',
    labels: ['route', 'code'],
  },

  chat_ready: { type: 'gauge', help: '1 while this server should get clients', aggregator: 'min' },
  chat_degraded: { type: 'gauge', help: '1 while a shared part does not work', labels: ['part'], aggregator: 'max' },
  chat_servers: { type: 'gauge', help: 'Live servers that this server knows, itself included', aggregator: 'max' },
  chat_users: { type: 'gauge', help: 'Users with a session on this server' },
  chat_cluster_users: { type: 'gauge', help: 'Users with a session on any server', aggregator: 'max' },
  chat_build_info: { type: 'gauge', help: 'Always 1', labels: ['version', 'node'], aggregator: 'first' },

  chat_typing_dropped_total: { type: 'counter', help: 'Typing notices dropped over the limit' },
  chat_notifications_sent_total: { type: 'counter', help: 'Notifications sent' },
  chat_notifications_dropped_total: { type: 'counter', help: 'Notifications dropped' },
  chat_moderator_failures_total: { type: 'counter', help: 'Texts that the moderator did not judge' },
  chat_presence_failures_total: { type: 'counter', help: 'Failed calls to the presence service' },
  chat_presence_dropped_total: { type: 'counter', help: 'Presence notices dropped over the budget' },
  chat_servers_given_up_total: { type: 'counter', help: 'Servers whose sessions this server ended' },
  chat_member_lists_mended_total: {
    type: 'counter',
    help: 'Member lists that the directory changed without a report',
  },
  chat_member_look_ups_limited_total: {
    type: 'counter',
    help: 'Look-ups of users in the directory that a limit prevented',
  },

  chat_refusals_total: {
    type: 'counter',
    help: 'Refused commands and queries',
    replacedBy: 'chat_frames_refused_total and chat_http_refusals_total',
  },
  chat_append_ms: { type: 'histogram', help: 'Time of an append, ms', replacedBy: 'chat_append_seconds' },
  chat_publish_ms: { type: 'histogram', help: 'Time of a publish, ms', replacedBy: 'chat_publish_seconds' },
  chat_append_clashes_total: {
    type: 'counter',
    help: 'Batches whose first number another server had taken',
    replacedBy: 'chat_append_conflicts_total',
  },
  chat_sessions: {
    type: 'gauge',
    help: 'Connections now, including those before CONNECT',
    replacedBy: 'sum(chat_connections)',
  },
  chat_resumes_total: {
    type: 'counter',
    help: 'Subscriptions resumed with a replay',
    replacedBy: 'chat_resume_events_count',
  },
  chat_resets_total: {
    type: 'counter',
    help: 'Subscriptions that had to start over',
    replacedBy: 'chat_resume_events_count{result="reset"}',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;
