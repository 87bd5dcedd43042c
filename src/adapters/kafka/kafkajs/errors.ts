import { refusedConnection } from '../../support/refused-connection.ts';
import { CONNECTION_REASONS } from '../connection-reasons.ts';
import type { KafkaProblem } from '../driver.ts';

/** Names the meaning of an error of kafkajs, or of one of its causes. */
export function classify(error: unknown): KafkaProblem {
  if (!(error instanceof Error)) return { kind: 'other' };
  const type = 'type' in error ? error.type : undefined;
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return { kind: 'too-large' };
  // Not enough brokers have registered yet.
  if (type === 'INVALID_REPLICATION_FACTOR') return { kind: 'not-ready' };
  if (error.name.startsWith('KafkaJSConnection')) return { kind: 'connection', reason: reasonOf(error) };
  switch (error.name) {
    case 'NotReadyError':
    case 'KafkaJSGroupCoordinatorNotFound':
    case 'KafkaJSBrokerNotFound':
    case 'KafkaJSMetadataNotLoaded':
    case 'KafkaJSTopicMetadataNotLoaded':
    case 'KafkaJSRequestTimeoutError':
      return { kind: 'not-ready' };
    case 'KafkaJSProtocolError':
      if ('retriable' in error && error.retriable === true) return { kind: 'not-ready' };
  }
  return classify(error.cause);
}

function reasonOf(failed: Error): string {
  const code = 'code' in failed && typeof failed.code === 'string' ? failed.code : '';
  return CONNECTION_REASONS[code] ?? refusedConnection(failed)?.text ?? failed.message;
}
