import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadRequest, formatIds, parseRequest } from '../../../neighbours/presence/codec.ts';
import { Lines, TooLong } from '../../../neighbours/presence/lines.ts';

describe('the codec of presence', () => {
  it.each([
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
    [
      "{type='signaling', user_id='1', community_id='1', channel_id='c-11'}",
      { type: 'leave', user: '1', voice: { community: '1', channel: '11' } },
    ],
    [
      '{"type":"signaling","user_id":"1","community_id":"1","channel_id":"c-11"}',
      { type: 'leave', user: '1', voice: { community: '1', channel: '11' } },
    ],
  ])('reads the request %s', (line, request) => {
    expect(parseRequest(line)).toEqual(request);
  });

  it.each([
    ['', 'is not valid JSON'],
    ['[]', 'is not a JSON object'],
    ['{"type":"fly"}', 'type must be'],
    ['{"type":"login","user_id":1}', 'session_id is missing'],
    ['{"type":"login","session_id":"a,b","user_id":1}', 'session_id must be an id'],
    ['{"type":"login","session_id":"a\\nb","user_id":1}', 'session_id must be an id'],
    ['{"type":"login","session_id":{},"user_id":1}', 'session_id must be a text'],
    ['{"type":"state","user_id":1,"channel_id":"everywhere"}', 'channel_id must be a place'],
    ['{"type":"direct","ids":[1]}', 'must name a place'],
    ['{"type":"direct","channel_id":"r-5","ids":"1"}', 'ids must be a list'],
    ['{"type":"direct","channel_id":"r-5","ids":[[1]]}', 'ids must be a text'],
    ['{"type":"enter","user_id":1,"channel_id":"c-5"}', 'community_id is missing'],
    ['{"type":"enter","user_id":1,"community_id":1,"channel_id":"home"}', 'must be a voice channel'],
    ["{type='login', session_id='a", 'is not valid JSON'],
    [`{ids=${'['.repeat(1000)}`, 'is not valid JSON'],
  ])('refuses the request %s and says why', (line, reason) => {
    expect(() => parseRequest(line)).toThrow(BadRequest);
    expect(() => parseRequest(line)).toThrow(reason);
  });

  it('reads or refuses any text without another error', () => {
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

  it('writes ids in the form that the notification service reads', () => {
    expect(formatIds(['3', '7'])).toBe('[3, 7]');
    expect(formatIds([])).toBe('[]');
  });
});

describe('the line reader of presence', () => {
  it('reads the same lines wherever the stream is cut', () => {
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

  it('refuses a line over the limit, whether or not its end has arrived', () => {
    expect(() => [...new Lines(10).push(Buffer.from(`${'x'.repeat(11)}\r\n`))]).toThrow(TooLong);
    const reader = new Lines(10);
    expect([...reader.push(Buffer.from('0123456789'))]).toEqual([]);
    expect(() => [...reader.push(Buffer.from('x'))]).toThrow(TooLong);
  });
});
