import { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { isNotReady, retryWhileNotReady } from '../../../src/adapters/kafka/retry-while-not-ready.ts';

// The types of its constructor lack an argument that it needs.
const noCoordinator = Object.assign(new Error('no coordinator'), { name: 'KafkaJSGroupCoordinatorNotFound' });
const noLeaderYet = protocolError('UNKNOWN_TOPIC_OR_PARTITION', 3, true);
const forbidden = protocolError('TOPIC_AUTHORIZATION_FAILED', 29, false);

function protocolError(type: string, code: number, retriable: boolean): Error {
  const answer = Object.assign(new Error(type), { type, code, retriable });
  return new KafkaJSProtocolError(answer);
}

describe('retryWhileNotReady', () => {
  it.each([
    ['a group without a coordinator', noCoordinator, true],
    ['a topic without a leader', noLeaderYet, true],
    [
      'a topic without a leader after some retries',
      new KafkaJSNumberOfRetriesExceeded(noLeaderYet, { retryCount: 5, retryTime: 9 }),
      true,
    ],
    ['a missing permission', forbidden, false],
    ['a refused connection', new KafkaJSConnectionError('refused', { broker: 'b:1', code: 'ECONNREFUSED' }), false],
    ['an error of this server', new Error('another live server uses the server id'), false],
    ['a text instead of an error', 'text', false],
  ])('sees whether Kafka is not ready yet from %s', (_name, error, expected) => {
    expect(isNotReady(error)).toBe(expected);
  });

  it('repeats the work while Kafka is not ready, and for no other error', async () => {
    const answers = [noLeaderYet, noLeaderYet, null];
    const asked = await retryWhileNotReady(5_000, async () => {
      const answer = answers.shift();
      if (answer) throw answer;
      return answers.length;
    });
    expect(asked).toBe(0);
    await expect(retryWhileNotReady(5_000, () => Promise.reject(forbidden))).rejects.toBe(forbidden);
    await expect(retryWhileNotReady(-1, () => Promise.reject(noLeaderYet))).rejects.toBe(noLeaderYet);
  });
});
