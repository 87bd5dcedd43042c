import type { StompEndpoint } from '../adapters/stomp/endpoint.ts';
import type { Sample } from '../adapters/support/figures.ts';
import type { Metrics } from '../adapters/system/metrics.ts';
import type { TransportName } from '../adapters/transport/connection.ts';

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
  metrics.read('chat_connections', () => byTransport(stomp));
  metrics.read('chat_waiting_bytes', () => waitingBytes(stomp).reduce((all, bytes) => all + bytes, 0));
  metrics.read('chat_waiting_bytes_max', () => waitingBytes(stomp).reduce((most, bytes) => Math.max(most, bytes), 0));
}

function byKind(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([kind, value]) => ({ labels: { kind }, value }));
}

function byTransport(stomp: StompEndpoint): Sample[] {
  const counts = new Map<TransportName, number>(TRANSPORTS.map((transport) => [transport, 0]));
  for (const { transport } of stomp.connections()) counts.set(transport, (counts.get(transport) ?? 0) + 1);
  return Array.from(counts, ([transport, value]) => ({ labels: { transport }, value }));
}

function waitingBytes(stomp: StompEndpoint): number[] {
  return stomp.connections().map(({ bufferedBytes }) => bufferedBytes);
}
