import { expect, it } from 'vitest';
import { Sessions } from '../../../../src/application/presence/sessions.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import type { Whereabouts } from '../../../../src/domain/whereabouts.ts';
import { TestClient } from '../../../support/test-client.ts';

const ROOM: Whereabouts = { kind: 'conversation', key: 'r-5' };
const VOICE: Whereabouts = { kind: 'voice', communityId: 1, channelId: 5 };

const client = new TestClient();
const of = (userId: number) => ({ userId, client, since: 5 });

it('does not begin a session a second time', () => {
  const sessions = new Sessions();
  expect(sessions.begin('s1', of(7))).toBe(true);
  expect(sessions.begin('s1', of(8))).toBe(false);
  expect(sessions.end('s1')).toEqual({ ...of(7), whereabouts: null });
});

it('ends a session once', () => {
  const sessions = new Sessions();
  sessions.begin('s1', of(7));
  sessions.end('s1');
  expect(sessions.end('s1')).toBeUndefined();
});

it('returns the place where a session looked before it moved', () => {
  const sessions = new Sessions();
  sessions.begin('s1', of(7));
  expect(sessions.moved('s1', ROOM)).toBeNull();
  expect(sessions.moved('s1', VOICE)).toEqual(ROOM);
  expect(sessions.end('s1')).toEqual({ ...of(7), whereabouts: VOICE });
});

it('ignores a move of a session that does not exist', () => {
  const sessions = new Sessions();
  expect(sessions.moved('s1', ROOM)).toBeNull();
  expect(sessions.looksAt(7, 'r-5')).toBe(false);
});

it('knows whether one of the sessions of a user looks at a conversation', () => {
  const sessions = new Sessions();
  sessions.begin('s1', of(7));
  sessions.begin('s2', of(7));
  sessions.begin('s3', of(8));
  sessions.moved('s1', VOICE);
  sessions.moved('s2', ROOM);
  sessions.moved('s3', { kind: 'home' });
  expect(sessions.looksAt(7, 'r-5')).toBe(true);
  expect(sessions.looksAt(8, 'r-5')).toBe(false);
  expect(sessions.looksAt(7, 'c-5')).toBe(false);
  sessions.end('s2');
  expect(sessions.looksAt(7, 'r-5')).toBe(false);
});

it('ends the sessions of one user, also when an end removes the session at once', () => {
  const sessions = new Sessions();
  const refusal = new Refusal('not-permitted', 'you are banned');
  const begun = (sessionId: string, userId: number): TestClient => {
    const ended = new TestClient(() => sessions.end(sessionId));
    sessions.begin(sessionId, { userId, client: ended, since: 5 });
    return ended;
  };
  const [one, two, other] = [begun('s1', 7), begun('s2', 7), begun('s3', 8)];
  sessions.endAllOf(7, refusal);
  expect([one.ends, two.ends, other.ends]).toEqual([[refusal], [refusal], []]);
  expect(sessions.size).toBe(1);
});

it('lists each user once who looks at a conversation', () => {
  const sessions = new Sessions();
  for (const [sessionId, userId] of [
    ['s1', 7],
    ['s2', 7],
    ['s3', 8],
    ['s4', 9],
  ] as const) {
    sessions.begin(sessionId, of(userId));
    if (userId !== 9) sessions.moved(sessionId, ROOM);
  }
  expect([...sessions.lookersAt('r-5')]).toEqual([7, 8]);
});
