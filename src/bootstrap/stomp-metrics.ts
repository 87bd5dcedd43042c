import type { StompEndpoint } from '../adapters/stomp/endpoint.ts';
import type { Sample } from '../adapters/support/figures.ts';
import type { Metrics } from '../adapters/system/metrics.ts';
import type { Connection, TransportName } from '../adapters/transport/connection.ts';

const TRANSPORTS: readonly TransportName[] = [
  ...(['raw-websocket', 'websocket', 'xhr', 'xhr_streaming', 'eventsource', 'htmlfile', 'jsonp'] as const),
];

/**
 * Says where the metrics of the endpoint are. The endpoint counts in plain numbers, which cost
 * nothing during delivery.
 */
export function readStompMetrics(metrics: Metrics, stomp: StompEndpoint): void {
  const { figures, times } = stomp;
  metrics.read('chat_delivery_seconds', () => [
    { labels: { path: 'local' }, value: times.local },
    { labels: { path: 'bus' }, value: times.bus },
  ]);
  metrics.read('chat_receipt_seconds', () => figures.receipts);
  metrics.read('chat_events_delivered_total', () => figures.delivered);
  metrics.read('chat_events_spared_total', () => figures.spared);
  metrics.read('chat_frames_received_total', () => byKind(figures.received));
  metrics.read('chat_frames_sent_total', () => byKind(figures.sent));
  metrics.read('chat_frames_refused_total', () => figures.refused.samples());
  metrics.read('chat_frames_unheard_total', () => figures.unheard);
  metrics.read('chat_frames_fatal_total', () => figures.errors.samples());
  metrics.read('chat_subscriptions', () => figures.subscriptions);
  metrics.read('chat_connects_total', () => figures.connects.samples());
  metrics.read('chat_closes_total', () => figures.closes.samples());
  metrics.read('chat_sessions', () => stomp.counts().sessions);
  const connections = oncePerTurn(() => summaryOf(stomp.connections()));
  metrics.read('chat_connections', () =>
    Array.from(connections().byTransport, ([transport, value]) => ({ labels: { transport }, value })),
  );
  metrics.read('chat_waiting_bytes', () => connections().waitingBytes);
  metrics.read('chat_waiting_bytes_max', () => connections().mostWaitingBytes);
}

function byKind(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([kind, value]) => ({ labels: { kind }, value }));
}

interface ConnectionSummary {
  readonly byTransport: ReadonlyMap<TransportName, number>;
  readonly waitingBytes: number;
  readonly mostWaitingBytes: number;
}

function summaryOf(connections: readonly Connection[]): ConnectionSummary {
  const byTransport = new Map<TransportName, number>(TRANSPORTS.map((transport) => [transport, 0]));
  let waitingBytes = 0;
  let mostWaitingBytes = 0;
  for (const { transport, bufferedBytes } of connections) {
    byTransport.set(transport, (byTransport.get(transport) ?? 0) + 1);
    waitingBytes += bufferedBytes;
    mostWaitingBytes = Math.max(mostWaitingBytes, bufferedBytes);
  }
  return { byTransport, waitingBytes, mostWaitingBytes };
}

/** Makes a value at the first call of a turn of the event loop. Metrics are read in one turn. */
function oncePerTurn<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    if (made !== null) return made.value;
    made = { value: make() };
    setImmediate(() => {
      made = null;
    });
    return made.value;
  };
}
