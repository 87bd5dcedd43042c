import { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { classify } from '../../../src/adapters/kafka/kafkajs/errors.ts';
import { retryWhileNotReady } from '../../../src/adapters/kafka/retry-while-not-ready.ts';

// The types of its constructor lack an argument that it needs.
const noCoordinator = Object.assign(new Error('no coordinator'), { name: 'KafkaJSGroupCoordinatorNotFound' });
const noLeaderYet = protocolError('UNKNOWN_TOPIC_OR_PARTITION', 3, true);
const forbidden = protocolError('TOPIC_AUTHORIZATION_FAILED', 29, false);
const notReady = { kind: 'not-ready' };
const other = { kind: 'other' };

function protocolError(type: string, code: number, retriable: boolean): Error {
  const answer = Object.assign(new Error(type), { type, code, retriable });
  return new KafkaJSProtocolError(answer);
}

function refused(code: string): Error {
  return new KafkaJSConnectionError('Connection error: connect', { broker: 'k1:9092', code });
}

function retried(error: Error): Error {
  return new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 9 });
}

describe('the errors of kafkajs', () => {
  it.each([
    ['a group without a coordinator', noCoordinator, notReady],
    ['a topic without a leader', noLeaderYet, notReady],
    ['a topic without a leader after some retries', retried(noLeaderYet), notReady],
    ['fewer brokers than replicas', protocolError('INVALID_REPLICATION_FACTOR', 38, false), notReady],
    ['a missing permission', forbidden, { kind: 'unauthorized', resource: 'topic' }],
    ['a record that is too large', protocolError('MESSAGE_TOO_LARGE', 10, false), { kind: 'too-large' }],
    ['an error of this server', new Error('another live server uses the server id'), other],
    ['a text instead of an error', 'text', other],
    ['a refused connection', refused('ECONNREFUSED'), { kind: 'connection', reason: 'connection refused' }],
    [
      'an unknown host, after some retries',
      retried(refused('ENOTFOUND')),
      { kind: 'connection', reason: 'host not found' },
    ],
    ['another failed connection', refused('ESTRANGE'), { kind: 'connection', reason: 'Connection error: connect' }],
  ])('are classified: %s', (_name, error, expected) => {
    expect(classify(error)).toEqual(expected);
  });
});

describe('retryWhileNotReady', () => {
  it('repeats the work while Kafka is not ready or away, and for no other error', async () => {
    const answers = [noLeaderYet, refused('ECONNREFUSED'), null];
    const asked = await retryWhileNotReady(5_000, classify, async () => {
      const answer = answers.shift();
      if (answer) throw answer;
      return answers.length;
    });
    expect(asked).toBe(0);
    await expect(retryWhileNotReady(5_000, classify, () => Promise.reject(forbidden))).rejects.toBe(forbidden);
    await expect(retryWhileNotReady(-1, classify, () => Promise.reject(noLeaderYet))).rejects.toBe(noLeaderYet);
  });
});
