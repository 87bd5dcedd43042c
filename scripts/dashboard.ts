/**
 * Prints the Grafana dashboard, which is kept in deploy/monitoring/grafana/chat.json.
 */
import { fileURLToPath } from 'node:url';

interface Panel {
  readonly title: string;
  /** A unit of Grafana: `s`, `bytes`, `ops`, `short`, `percentunit`. */
  readonly unit: string;
  /** Expressions of PromQL, each with the legend of its lines. */
  readonly lines: readonly (readonly [expression: string, legend: string])[];
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const PER_ROW = 3;
const PANEL_WIDTH = 24 / PER_ROW;
const PANEL_HEIGHT = 7;

/** The Prometheus that the reader chose. */
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
/** Only the servers that the reader chose. */
const SERVERS = 'job="chat",instance=~"$server"';

function rate(metric: string, by = '', more = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (rate(${metric}{${SERVERS}${more}}[$__rate_interval]))`;
}

function quantile(share: number, metric: string, by = '', more = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${metric}_bucket{${SERVERS}${more}}[$__rate_interval])))`;
}

/** Half of the values, and the slowest hundredth. */
function times(title: string, metric: string, by = ''): Panel {
  const legend = by === '' ? '' : ` {{${by}}}`;
  return {
    title,
    unit: 's',
    lines: [
      [quantile(0.5, metric, by), `p50${legend}`],
      [quantile(0.99, metric, by), `p99${legend}`],
    ],
  };
}

/** What happens a second, by label. */
function rates(title: string, ...lines: readonly (readonly [metric: string, by: string])[]): Panel {
  return {
    title,
    unit: 'ops',
    lines: lines.map(([metric, by]) => {
      const labels = by.split(', ').map((label) => `{{${label}}}`);
      const name = metric.replace(/^chat_|_total$|_count$/g, '').replaceAll('_', ' ');
      return [rate(metric, by), by === '' ? name : labels.join(' ')];
    }),
  };
}

function gauges(
  title: string,
  unit: string,
  ...lines: readonly (readonly [expression: string, legend: string])[]
): Panel {
  return { title, unit, lines };
}

const of = (metric: string): string => `${metric}{${SERVERS}}`;

const ROWS: readonly Row[] = [
  {
    title: 'Do people get their messages?',
    panels: [
      times('SEND or record to the last socket', 'chat_delivery_seconds', 'path'),
      times('SEND to RECEIPT', 'chat_receipt_seconds'),
      rates(
        'Events',
        ['chat_events_stored_total', ''],
        ['chat_events_delivered_total', ''],
        ['chat_events_spared_total', ''],
      ),
      rates('Refused frames', ['chat_frames_refused_total', 'code'], ['chat_frames_unheard_total', '']),
      rates('Returning clients', ['chat_resume_events_count', 'result']),
      gauges(
        'Events of a resume',
        'short',
        [quantile(0.5, 'chat_resume_events', 'result'), 'p50 {{result}}'],
        [quantile(0.99, 'chat_resume_events', 'result'), 'p99 {{result}}'],
      ),
    ],
  },
  {
    title: 'Health',
    panels: [
      gauges(
        'Servers',
        'short',
        ['sum(up{job="chat"})', 'answer'],
        [`sum(${of('chat_ready')})`, 'ready'],
        [of('chat_servers'), 'known to {{instance}}'],
      ),
      gauges('Parts that do not work, by servers', 'short', [`sum by (part) (${of('chat_degraded')})`, '{{part}}']),
      gauges('Users', 'short', ['max(chat_cluster_users)', 'on all servers'], [of('chat_users'), '{{instance}}']),
      gauges('Version', 'short', [
        `count by (version, node) (${of('chat_build_info')})`,
        '{{version}} on Node {{node}}',
      ]),
      rates('Dead servers found', ['chat_servers_given_up_total', 'instance']),
      gauges('Event loop, 99th percentile late', 's', [of('nodejs_eventloop_lag_p99_seconds'), '{{instance}}']),
      gauges('CPU, cores', 'short', [rate('process_cpu_seconds_total', 'instance'), '{{instance}}']),
      gauges('Memory', 'bytes', [of('process_resident_memory_bytes'), '{{instance}}']),
      gauges('Open files', 'percentunit', [`${of('process_open_fds')} / ${of('process_max_fds')}`, '{{instance}}']),
    ],
  },
  {
    title: 'Clients',
    panels: [
      gauges('Connections', 'short', [`sum by (transport) (${of('chat_connections')})`, '{{transport}}']),
      rates('Connects, by result', ['chat_connects_total', 'result']),
      rates('Closes, by reason and code', ['chat_closes_total', 'reason, code']),
      gauges('Subscriptions', 'short', [of('chat_subscriptions'), '{{instance}}']),
      gauges(
        'Bytes that wait for clients',
        'bytes',
        [`sum(${of('chat_waiting_bytes')})`, 'all'],
        [`max(${of('chat_waiting_bytes_max')})`, 'the slowest client'],
      ),
      rates('Frames that ended a connection', ['chat_frames_fatal_total', 'code']),
      rates('Frames from clients', ['chat_frames_received_total', 'kind']),
      rates('Frames to clients', ['chat_frames_sent_total', 'kind']),
      rates(
        'Left out to save work',
        ['chat_typing_dropped_total', ''],
        ['chat_presence_dropped_total', ''],
        ['chat_member_look_ups_limited_total', ''],
      ),
    ],
  },
  {
    title: 'Store',
    panels: [
      times('Append', 'chat_append_seconds'),
      gauges(
        'Events of an append',
        'short',
        [quantile(0.5, 'chat_append_batch_events'), 'p50'],
        [quantile(0.99, 'chat_append_batch_events'), 'p99'],
      ),
      rates(
        'Batches',
        ['chat_append_batches_total', ''],
        ['chat_append_conflicts_total', ''],
        ['chat_append_failures_total', ''],
        ['chat_appends_refused_total', ''],
      ),
      rates(
        'Gaps and holes',
        ['chat_gaps_held_total', ''],
        ['chat_gaps_read_total', ''],
        ['chat_events_recovered_total', ''],
        ['chat_log_holes_total', ''],
      ),
      gauges('Calls, 99th percentile', 's', [
        quantile(0.99, 'chat_call_seconds', 'part, operation'),
        '{{part}} {{operation}}',
      ]),
      gauges('Failed calls', 'ops', [
        rate('chat_call_seconds_count', 'part, operation', ',outcome="error"'),
        '{{part}} {{operation}}',
      ]),
    ],
  },
  {
    title: 'Kafka and the outbox',
    panels: [
      times('Publish', 'chat_publish_seconds'),
      gauges('Lag', 'short', [`max by (topic, instance) (${of('chat_kafka_lag_records')})`, '{{topic}} {{instance}}']),
      gauges('Age of the last heart-beat', 's', [
        `max by (topic, instance) (${of('chat_kafka_heartbeat_age_seconds')})`,
        '{{topic}} {{instance}}',
      ]),
      rates('Replaced consumers', ['chat_kafka_consumer_restarts_total', 'topic, instance']),
      gauges(
        'Waits for the bus',
        'short',
        [`sum(${of('chat_publish_waiting_events')})`, 'events in memory'],
        [`max(${of('chat_outbox_waiting_batches')})`, 'batches in the outbox'],
      ),
      rates('Odd records', ['chat_outbox_republished_total', ''], ['chat_records_skipped_total', '']),
    ],
  },
  {
    title: 'HTTP and neighbours',
    panels: [
      times('HTTP answers', 'chat_http_request_seconds', 'route'),
      rates('HTTP calls', ['chat_http_request_seconds_count', 'route, status']),
      rates('Refused HTTP calls', ['chat_http_refusals_total', 'route, code']),
      rates('Notifications', ['chat_notifications_sent_total', ''], ['chat_notifications_dropped_total', '']),
      rates('Presence', ['chat_presence_failures_total', '']),
      rates('Texts that the moderator did not judge', ['chat_moderator_failures_total', '']),
      rates('Member lists that mended themselves', ['chat_member_lists_mended_total', '']),
    ],
  },
];

function panelsOf(rows: readonly Row[]): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    for (const [i, panel] of row.panels.entries()) {
      const x = (i % PER_ROW) * PANEL_WIDTH;
      const gridPos = { x, y: y + Math.floor(i / PER_ROW) * PANEL_HEIGHT, w: PANEL_WIDTH, h: PANEL_HEIGHT };
      panels.push(timeSeries(panels.length + 1, panel, gridPos));
    }
    y += Math.ceil(row.panels.length / PER_ROW) * PANEL_HEIGHT;
  }
  return panels;
}

function timeSeries(id: number, { title, unit, lines }: Panel, gridPos: object): object {
  return {
    id,
    type: 'timeseries',
    title,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 8, showPoints: 'never' } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: lines.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + i),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}

/** The dashboard as the text of a JSON file. */
export function dashboard(): string {
  const variables = [
    { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
    {
      name: 'server',
      label: 'Server',
      type: 'query',
      datasource: DATASOURCE,
      query: { query: 'label_values(chat_ready{job="chat"}, instance)', refId: 'server' },
      refresh: 2,
      includeAll: true,
      allValue: '.*',
      multi: true,
      current: { text: ['All'], value: ['$__all'] },
    },
  ];
  const board = {
    uid: 'chat-server',
    title: 'Chat server',
    tags: ['chat'],
    schemaVersion: 39,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    annotations: {
      list: [
        {
          name: 'Alerts',
          enable: true,
          iconColor: 'red',
          datasource: DATASOURCE,
          expr: 'ALERTS{alertstate="firing",alertname=~"Chat.*"}',
          titleFormat: '{{alertname}}',
        },
      ],
    },
    templating: { list: variables },
    panels: panelsOf(ROWS),
  };
  return `${JSON.stringify(board, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(dashboard());
