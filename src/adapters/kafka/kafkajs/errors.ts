import { refusedConnection } from '../../support/refused-connection.ts';
import { CONNECTION_REASONS } from '../connection-reasons.ts';
import type { KafkaProblem } from '../driver.ts';
import { UNAUTHORIZED } from '../unauthorized.ts';

/** Names the meaning of an error of kafkajs, or of one of its causes. */
export function classify(error: unknown): KafkaProblem {
  if (!(error instanceof Error)) return { kind: 'other' };
  const resource = typesOf(error).flatMap((type) => UNAUTHORIZED.get(type) ?? [])[0];
  if (resource !== undefined) return { kind: 'unauthorized', resource };
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

/** The error codes of Kafka in an error, which may stand for several topics or groups. */
export function typesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return ['unknown'];
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.flatMap(typesOf);
  if ('groups' in error && Array.isArray(error.groups))
    return error.groups.flatMap(({ error: inner }) => typesOf(inner));
  return ['type' in error && typeof error.type === 'string' ? error.type : 'unknown'];
}

function reasonOf(failed: Error): string {
  const code = 'code' in failed && typeof failed.code === 'string' ? failed.code : '';
  return CONNECTION_REASONS[code] ?? refusedConnection(failed)?.text ?? failed.message;
}
