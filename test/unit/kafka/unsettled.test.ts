import { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { isUnsettled, retryWhileNotReady } from '../../../src/adapters/kafka/retry-while-not-ready.ts';

// Its constructor is typed without the argument that it needs.
const noCoordinator = Object.assign(new Error('no coordinator'), { name: 'KafkaJSGroupCoordinatorNotFound' });
const noLeaderYet = protocolError('UNKNOWN_TOPIC_OR_PARTITION', 3, true);
const forbidden = protocolError('TOPIC_AUTHORIZATION_FAILED', 29, false);

function protocolError(type: string, code: number, retriable: boolean): Error {
  const answer = Object.assign(new Error(type), { type, code, retriable });
  return new KafkaJSProtocolError(answer);
}

describe('what Kafka says while it is being set up', () => {
  test.each([
    ['no group coordinator yet', noCoordinator, true],
    ['a topic without leader', noLeaderYet, true],
    [
      'the same after some tries',
      new KafkaJSNumberOfRetriesExceeded(noLeaderYet, { retryCount: 5, retryTime: 9 }),
      true,
    ],
    ['not permitted', forbidden, false],
    ['no connection', new KafkaJSConnectionError('refused', { broker: 'b:1', code: 'ECONNREFUSED' }), false],
    ['something of ours', new Error('another live server uses the server id'), false],
    ['no error at all', 'text', false],
  ])('%s', (_name, error, unsettled) => {
    expect(isUnsettled(error)).toBe(unsettled);
  });

  test('is asked again until it has settled, and nothing else is', async () => {
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
