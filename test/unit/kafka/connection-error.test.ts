import { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded } from 'kafkajs';
import { expect, it } from 'vitest';
import { describeConnectionError } from '../../../src/adapters/kafka/connection-error.ts';

const BROKERS = ['k1:9092', 'k2:9092'];

function refused(code: string): Error {
  return new KafkaJSConnectionError('Connection error: connect', { broker: 'k1:9092', code });
}

it.each([
  ['ECONNREFUSED', 'connection refused'],
  ['ENOTFOUND', 'host not found'],
  ['ESTRANGE', 'Connection error: connect'],
])('a failed connection is described by the brokers and the reason: %s', (code, reason) => {
  const expected = new Error(`cannot connect to Kafka at k1:9092, k2:9092 (${reason})`);
  expect(describeConnectionError(refused(code), BROKERS)).toEqual(expected);
  const retried = new KafkaJSNumberOfRetriesExceeded(refused(code), { retryCount: 5, retryTime: 9 });
  expect(describeConnectionError(retried, BROKERS)).toEqual(expected);
});

it('an error that is not about a connection stays as it is', () => {
  const error = new Error('another live server uses the server id chat-1');
  expect(describeConnectionError(error, BROKERS)).toBe(error);
  expect(describeConnectionError('text', BROKERS)).toBe('text');
});
