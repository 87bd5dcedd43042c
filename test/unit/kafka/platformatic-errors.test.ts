import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  TimeoutError,
  UserError,
} from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { classify, withCause } from '../../../src/adapters/kafka/platformatic/errors.ts';
import { refusedConnection } from '../../../src/adapters/support/refused-connection.ts';

const notReady = { kind: 'not-ready' };
const other = { kind: 'other' };

function refused(code: string): Error {
  const cause = Object.assign(new Error(`connect ${code}`), { code });
  return new NetworkError('Connection to k1:9092 failed.', { cause });
}

function retried(error: Error): Error {
  return new MultipleErrors('metadata failed 3 times.', [error, error, error]);
}

describe('the errors of @platformatic/kafka', () => {
  it.each([
    ['a group without a coordinator', new ProtocolError('COORDINATOR_NOT_AVAILABLE'), notReady],
    ['a topic that is not known yet', new UserError('Unknown topic chat-topic.'), notReady],
    ['a topic without a leader after some retries', retried(new ProtocolError('LEADER_NOT_AVAILABLE')), notReady],
    ['fewer brokers than replicas', new ProtocolError('INVALID_REPLICATION_FACTOR'), notReady],
    ['a request without an answer', new TimeoutError('Request timed out', { canRetry: true }), notReady],
    [
      'a missing permission',
      new ProtocolError('TOPIC_AUTHORIZATION_FAILED'),
      { kind: 'unauthorized', resource: 'topic' },
    ],
    ['a record that is too large', retried(new ProtocolError('MESSAGE_TOO_LARGE')), { kind: 'too-large' }],
    ['an error of this server', new Error('another live server uses the server id'), other],
    ['a text instead of an error', 'text', other],
    ['a refused connection', refused('ECONNREFUSED'), { kind: 'connection', reason: 'connection refused' }],
    [
      'an unknown host, after some retries',
      retried(refused('ENOTFOUND')),
      { kind: 'connection', reason: 'host not found' },
    ],
    [
      'a connection without an answer',
      new TimeoutError('Connection to k1:9092 timed out.', { canRetry: true }),
      { kind: 'connection', reason: 'no answer' },
    ],
  ])('are classified: %s', (_name, error, expected) => {
    expect(classify(error)).toEqual(expected);
    expect(classify(error instanceof Error ? withCause(error) : error)).toEqual(expected);
  });

  it('show a refused login through their causes', () => {
    const login = new AuthenticationError('SASL authentication failed.');
    const error = retried(new NetworkError('Connection to k1:9092 failed.', { cause: login }));
    expect(refusedConnection(withCause(error))).toMatchObject({ about: 'login' });
  });
});
