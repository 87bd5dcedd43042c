import type { ConsumerFigures } from '../adapters/kafka/message-bus.ts';
import type { Metrics } from '../adapters/system/metrics.ts';
import type { ApplicationFigures } from '../application/running-application.ts';
import { packageVersion } from './version.ts';

/** Says where the metrics of the application are, and of the build. */
export function readApplicationMetrics(metrics: Metrics, figures: () => ApplicationFigures): void {
  const labels = { version: packageVersion(), node: process.version };
  metrics.read('chat_build_info', () => [{ labels, value: 1 }]);
  metrics.read('chat_servers', () => figures().servers);
  metrics.read('chat_users', () => figures().usersHere);
  metrics.read('chat_cluster_users', () => figures().users);
  metrics.read('chat_publish_waiting_events', () => figures().waitingEvents);
  metrics.read('chat_outbox_waiting_batches', () => figures().outboxBatches);
  metrics.read('chat_jobs_running', () => (figures().jobs.isBusy ? 1 : 0));
  metrics.read('chat_retention_finished_seconds', () => figures().jobs.retentionFinishedAt / 1000);
}

/** Says where the metrics of the Kafka consumers are. Another bus has none. */
export function readKafkaMetrics(metrics: Metrics, consumers: () => readonly ConsumerFigures[]): void {
  const read = (value: (figures: ConsumerFigures) => number) => () =>
    consumers().map((figures) => ({ labels: { topic: figures.topic }, value: value(figures) }));
  metrics.read(
    'chat_kafka_lag_records',
    read(({ lag }) => lag),
  );
  metrics.read(
    'chat_kafka_heartbeat_age_seconds',
    read(({ heartbeatAge }) => heartbeatAge),
  );
  metrics.read(
    'chat_kafka_consumer_restarts_total',
    read(({ restarts }) => restarts),
  );
}
