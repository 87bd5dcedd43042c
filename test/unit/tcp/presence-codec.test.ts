import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beforeEnter,
  enter,
  leave,
  login,
  logout,
  NonsenseReply,
  notLooking,
  portions,
  type Question,
  RefusedRequest,
  state,
} from '../../../src/adapters/tcp/presence-codec.ts';
import { parseWhereabouts, type Whereabouts, whereaboutsText } from '../../../src/domain/whereabouts.ts';

const HOME: Whereabouts = { kind: 'home' };
const VOICE: Whereabouts = { kind: 'voice', communityId: 1, channelId: 11 };

describe('the requests to presence', () => {
  it.each<[Question<unknown>, string]>([
    [login('s1', 3), '{"type":"login","session_id":"s1","user_id":"3"}'],
    [logout('s1'), '{"type":"logout","session_id":"s1"}'],
    [state(3, HOME), '{"type":"state","user_id":"3","channel_id":"home"}'],
    [state(3, VOICE), '{"type":"state","user_id":"3","channel_id":"com1,c-11"}'],
    [notLooking('r-5', [3, 7]), '{"type":"direct","channel_id":"r-5","community_id":"r-5","ids":[3,7]}'],
    [notLooking('c-11', [3]), '{"type":"community","channel_id":"c-11","community_id":"c-11","ids":[3]}'],
    [beforeEnter(3, 1), '{"type":"before-enter","user_id":"3","community_id":"1"}'],
    [enter(3, 1, 11), '{"type":"enter","user_id":"3","channel_id":"c-11","community_id":"1"}'],
    [leave(3, 1, 11), '{"type":"signaling","user_id":"3","channel_id":"c-11","community_id":"1"}'],
  ])('writes each request as one line of JSON: %o', ({ line }, expected) => {
    expect(line).toBe(`${expected}\r\n`);
  });

  it('writes a login as one line of JSON whatever the session id contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (sessionId) => {
        const { line } = login(sessionId, 3);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(JSON.parse(line)).toEqual({ type: 'login', session_id: sessionId, user_id: '3' });
      }),
    );
  });
});

describe('the replies of presence', () => {
  it.each([login('s', 3), leave(3, 1, 11)])(
    'accepts any text as the reply to a request without an answer',
    ({ read }) => {
      for (const reply of ['', 'ok', '반환메세지', '\ufffd\ufffd']) expect(read(reply)).toBeUndefined();
    },
  );

  it.each([
    ['1,home', { userId: 1, whereabouts: HOME }],
    ['1,null', { userId: 1, whereabouts: null }],
    ['1,r-5', { userId: 1, whereabouts: { kind: 'conversation', key: 'r-5' } }],
    ['3,com1,c-11', { userId: 3, whereabouts: VOICE }],
    ['3,com1', { userId: 3, whereabouts: null }],
    ['null,null', null],
    ['abc,home', null],
  ])('reads the reply to a logout: %s', (reply, expected) => {
    expect(logout('s').read(reply)).toEqual(expected);
  });

  it.each([
    ['home,r-5', HOME],
    ['null,r-5', null],
    ['c-11,r-5', { kind: 'conversation', key: 'c-11' }],
    ['com1,c-11,r-5', VOICE],
    ['com1,r-5', null],
    ['r-7,r-6', { kind: 'conversation', key: 'r-7' }],
  ])('reads the reply to a move into r-5: %s', (reply, expected) => {
    expect(state(3, { kind: 'conversation', key: 'r-5' }).read(reply)).toEqual(expected);
  });

  it('reads the reply to a move into a voice channel', () => {
    expect(state(3, VOICE).read('com1,c-11,com1,c-11')).toEqual(VOICE);
    expect(state(3, VOICE).read('home,com1,c-11')).toEqual(HOME);
  });

  it('ignores users in a reply that the request did not name', () => {
    const { read } = notLooking('r-5', [3, 7, 9]);
    expect(read('[]')).toEqual([]);
    expect(read('[3, 7]')).toEqual([3, 7]);
    expect(read('[9,3]')).toEqual([9, 3]);
    expect(read('[3, 8]')).toEqual([3]);
  });

  it('reads the reply to a question about voice channels', () => {
    const { read } = beforeEnter(3, 1);
    expect(read('{}')).toEqual({});
    expect(read('{"11":["3","7"],"12":[]}')).toEqual({ 11: ['3', '7'], 12: [] });
    expect(read('{"11":[3]}')).toEqual({ 11: ['3'] });
  });

  it('takes a reply that begins with error: for a refusal, not for nonsense', () => {
    for (const question of [login('s', 3), logout('s'), notLooking('r-5', []), enter(3, 1, 11)]) {
      expect(() => question.read('error: failed')).toThrow(RefusedRequest);
    }
  });

  it.each<[string, Question<unknown>, readonly string[]]>([
    ['logout', logout('s'), ['', 'ok', 'a b,home', '1,<html>', ',', '{"a":1,"b":2}']],
    ['a move', state(3, HOME), ['', 'ok', 'x', '<a>,home', ',']],
    ['a question about users', notLooking('r-5', [3]), ['', '3', '[3', '[a]', '[3,]', '[[3]]', '{}', '["3"]']],
    [
      'a question about voice channels',
      beforeEnter(3, 1),
      ['', 'x', 'null', '[]', '1', '{"11":3}', '{"x":[]}', '{"__proto__":[]}'],
    ],
  ])('takes a reply to %s for nonsense when it cannot be the answer', (_title, question, replies) => {
    for (const reply of replies) expect(() => question.read(reply)).toThrow(NonsenseReply);
  });

  it('reads any reply as an answer, a refusal or nonsense, and throws no other error', () => {
    const questions = [login('s', 3), logout('s'), state(3, VOICE), notLooking('c-11', [3]), enter(3, 1, 11)];
    const reply = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .array(fc.constantFrom('[', ']', ',', ' ', '3', 'com1', 'c-11', 'home', 'null', '-', '{', '}', '"', ':'))
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(fc.constantFrom(...questions), reply, (question, text) => {
        try {
          question.read(text);
        } catch (error) {
          expect(error instanceof NonsenseReply || error instanceof RefusedRequest).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads every kind of place in the reply to a move', () => {
    const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    const place = fc.oneof(
      fc.constant('home'),
      id.map((one) => `r-${one}`),
      id.map((one) => `c-${one}`),
      fc.tuple(id, id).map(([one, other]) => `com${one},c-${other}`),
    );
    fc.assert(
      fc.property(place, place, (before, after) => {
        const read = state(3, parseWhereabouts(after) ?? HOME).read(`${before},${after}`);
        expect(read === null ? null : whereaboutsText(read)).toBe(before);
      }),
    );
  });
});

it('splits a list of users into portions whose answers fit into the limit', () => {
  const ids = fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { maxLength: 300 });
  fc.assert(
    fc.property(ids, fc.integer({ min: 40, max: 1_000 }), (all, bytes) => {
      const cut = portions(all, bytes);
      expect(cut.flat()).toEqual(all);
      for (const part of cut) expect(`[${part.join(', ')}]`.length).toBeLessThanOrEqual(bytes);
    }),
  );
});
