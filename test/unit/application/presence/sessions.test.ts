import { expect, it } from 'vitest';
import { Sessions } from '../../../../src/application/presence/sessions.ts';
import type { Whereabouts } from '../../../../src/domain/whereabouts.ts';

const ROOM: Whereabouts = { kind: 'conversation', key: 'r-5' };
const VOICE: Whereabouts = { kind: 'voice', communityId: 1, channelId: 5 };

it('does not begin a session a second time', () => {
  const sessions = new Sessions();
  expect(sessions.begin('s1', 7)).toBe(true);
  expect(sessions.begin('s1', 8)).toBe(false);
  expect(sessions.end('s1')).toEqual({ userId: 7, whereabouts: null });
});

it('ends a session once', () => {
  const sessions = new Sessions();
  sessions.begin('s1', 7);
  sessions.end('s1');
  expect(sessions.end('s1')).toBeUndefined();
});

it('returns the place where a session looked before it moved', () => {
  const sessions = new Sessions();
  sessions.begin('s1', 7);
  expect(sessions.moved('s1', ROOM)).toBeNull();
  expect(sessions.moved('s1', VOICE)).toEqual(ROOM);
  expect(sessions.end('s1')).toEqual({ userId: 7, whereabouts: VOICE });
});

it('ignores a move of a session that does not exist', () => {
  const sessions = new Sessions();
  expect(sessions.moved('s1', ROOM)).toBeNull();
  expect(sessions.looksAt(7, 'r-5')).toBe(false);
});

it('knows whether one of the sessions of a user looks at a conversation', () => {
  const sessions = new Sessions();
  sessions.begin('s1', 7);
  sessions.begin('s2', 7);
  sessions.begin('s3', 8);
  sessions.moved('s1', VOICE);
  sessions.moved('s2', ROOM);
  sessions.moved('s3', { kind: 'home' });
  expect(sessions.looksAt(7, 'r-5')).toBe(true);
  expect(sessions.looksAt(8, 'r-5')).toBe(false);
  expect(sessions.looksAt(7, 'c-5')).toBe(false);
  sessions.end('s2');
  expect(sessions.looksAt(7, 'r-5')).toBe(false);
});
