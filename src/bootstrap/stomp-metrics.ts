import { Counter, Gauge, type Registry } from 'prom-client';
import type { StompEndpoint } from '../adapters/stomp/endpoint.ts';

/**
 * Registers the counters of the endpoint. The endpoint counts in plain numbers, which cost nothing
 * during delivery. They are read when the metrics are.
 */
export function registerStompMetrics(registry: Registry, stomp: StompEndpoint): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  const counter = (name: string, help: string, value: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  };
  gauge('chat_sessions', 'Connections now, including those before CONNECT', () => stomp.counts().sessions);
  gauge('chat_subscriptions', 'Live subscriptions now', () => stomp.counts().subscriptions);
  counter('chat_events_delivered_total', 'Events sent to live subscriptions', () => stomp.counts().delivered);
  counter(
    'chat_events_spared_total',
    'Events of low value that were not sent to slow connections',
    () => stomp.counts().spared,
  );
  counter('chat_frames_refused_total', 'Refused frames', () => stomp.counts().refused);
  counter(
    'chat_frames_unheard_total',
    'Refused frames that were not reported, because the client asked for neither errors nor a receipt',
    () => stomp.counts().unheard,
  );
  counter('chat_frames_fatal_total', 'ERROR frames; each ended a connection', () => stomp.counts().errors);
}
