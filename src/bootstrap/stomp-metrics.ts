import { Counter, Gauge, type Registry } from 'prom-client';
import type { StompEndpoint } from '../adapters/stomp/endpoint.ts';

/** Shows what the endpoint counts. It counts in plain numbers, which cost nothing where events are delivered; they are read when somebody asks. */
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
  gauge('chat_sessions', 'Connections now, those before CONNECT included', () => stomp.counts().sessions);
  gauge('chat_subscriptions', 'Live subscriptions now', () => stomp.counts().subscriptions);
  counter('chat_events_delivered_total', 'Events handed to live subscriptions', () => stomp.counts().delivered);
  counter(
    'chat_events_spared_total',
    'Events of little value that slow connections did not get',
    () => stomp.counts().spared,
  );
  counter('chat_frames_refused_total', 'Refused frames', () => stomp.counts().refused);
  counter(
    'chat_frames_unheard_total',
    'Refused frames whose client had not asked to be told',
    () => stomp.counts().unheard,
  );
}
