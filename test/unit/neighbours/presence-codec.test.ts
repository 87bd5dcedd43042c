import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadRequest, formatIds, parseRequest } from '../../../neighbours/presence/codec.ts';
import { Lines, TooLong } from '../../../neighbours/presence/lines.ts';

describe('a presence request', () => {
  test.each([
    ['{"type":"login","session_id":"s","user_id":1}', { type: 'login', session: 's', user: '1' }],
    [
      "{type='login', session_id='s', user_id='1', channel_id='null', community_id='null', ids=null}",
      { type: 'login', session: 's', user: '1' },
    ],
    ['{type:logout;session_id:"s"}', { type: 'logout', session: 's' }],
    ['{"type":"state","user_id":"1","channel_id":null}', { type: 'state', user: '1', place: null }],
    ["{type='state', user_id='1', channel_id='com1,c-11'}", { type: 'state', user: '1', place: 'com1,c-11' }],
    [
      '{"type":"direct","channel_id":"r-5","community_id":"c-5","ids":[2,"3"]}',
      { type: 'looking', place: 'r-5', users: ['2', '3'] },
    ],
    [
      "{type='community', channel_id='null', community_id='c-11', ids=[2, 3]}",
      { type: 'looking', place: 'c-11', users: ['2', '3'] },
    ],
    ['{"type":"community","community_id":"c-11","ids":null}', { type: 'looking', place: 'c-11', users: [] }],
    ['{"type":"before-enter","user_id":3,"community_id":1}', { type: 'before-enter', community: '1', room: null }],
    [
      '{"type":"enter","user_id":2,"community_id":1,"channel_id":"c-21"}',
      { type: 'enter', user: '2', voice: { community: '1', channel: '21' } },
    ],
    [
      '{"type":"enter","user_id":2,"channel_id":"r-5"}',
      { type: 'enter', user: '2', voice: { community: null, channel: '5' } },
    ],
  ])('%s', (line, request) => {
    expect(parseRequest(line)).toEqual(request);
  });

  test.each([
    ['', 'neither JSON'],
    ['[]', 'not an object'],
    ['{"type":"fly"}', 'unknown type'],
    ['{"type":"login","user_id":1}', 'session_id is missing'],
    ['{"type":"login","session_id":"a,b","user_id":1}', 'session_id is not an id'],
    ['{"type":"login","session_id":"a\\nb","user_id":1}', 'session_id is not an id'],
    ['{"type":"login","session_id":{},"user_id":1}', 'session_id is neither'],
    ['{"type":"state","user_id":1,"channel_id":"everywhere"}', 'not a place'],
    ['{"type":"direct","ids":[1]}', 'names a place'],
    ['{"type":"direct","channel_id":"r-5","ids":"1"}', 'ids is not a list'],
    ['{"type":"direct","channel_id":"r-5","ids":[[1]]}', 'ids is neither'],
    ['{"type":"enter","user_id":1,"channel_id":"c-5"}', 'community_id is missing'],
    ['{"type":"enter","user_id":1,"community_id":1,"channel_id":"home"}', 'no voice channel'],
    ["{type='login', session_id='a", 'neither JSON'],
    [`{ids=${'['.repeat(1000)}`, 'neither JSON'],
  ])('that makes no sense is refused with the reason: %s', (line, reason) => {
    expect(() => parseRequest(line)).toThrow(BadRequest);
    expect(() => parseRequest(line)).toThrow(reason);
  });

  test('of any text is either read or refused', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      "'",
      '"',
      '=',
      ':',
      ',',
      ';',
      '\\',
      ' ',
      'type',
      'login',
      'ids',
      '1',
      'null',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((list) => list.join('')),
        ),
        (line) => {
          try {
            parseRequest(line);
          } catch (error) {
            expect(error).toBeInstanceOf(BadRequest);
          }
        },
      ),
    );
  });

  test('ids are written as the notification service reads them', () => {
    expect(formatIds(['3', '7'])).toBe('[3, 7]');
    expect(formatIds([])).toBe('[]');
  });
});

describe('lines', () => {
  test('are the same wherever the stream is cut', () => {
    const lines = fc.array(fc.string({ unit: 'grapheme' }).map((text) => `x${text.replaceAll(/[\r\n]/g, '')}`));
    fc.assert(
      fc.property(lines, fc.array(fc.nat(40)), (expected, cuts) => {
        let bytes = Buffer.from(expected.map((line) => `${line}\r\n`).join(''));
        const reader = new Lines(100_000);
        const read: string[] = [];
        for (const cut of cuts) {
          read.push(...reader.push(bytes.subarray(0, cut)));
          bytes = bytes.subarray(cut);
        }
        read.push(...reader.push(bytes));
        expect(read).toEqual(expected);
      }),
    );
  });

  test('longer than allowed are refused, whether or not they end', () => {
    expect(() => [...new Lines(10).push(Buffer.from(`${'x'.repeat(11)}\r\n`))]).toThrow(TooLong);
    const reader = new Lines(10);
    expect([...reader.push(Buffer.from('0123456789'))]).toEqual([]);
    expect(() => [...reader.push(Buffer.from('x'))]).toThrow(TooLong);
  });
});
