import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeeperThan, parseJson } from '../../../src/adapters/transport/json.ts';

describe('parseJson', () => {
  it('parses a body with a byte order mark as it parses one without', () => {
    expect(parseJson(Buffer.from('{"content":"für"}'), 32)).toEqual({ content: 'für' });
    expect(parseJson(Buffer.from('\ufeff{"content":"für"}'), 32)).toEqual({ content: 'für' });
  });

  it.each<[string, Buffer, string]>([
    ['bytes that are not UTF-8', Buffer.from('{"content":"\xff"}', 'latin1'), 'the body is not valid UTF-8'],
    ['a text that is not JSON', Buffer.from('{"content":'), 'the body is not valid JSON'],
    ['an empty body', Buffer.alloc(0), 'the body is not valid JSON'],
    ['lists nested too deep', Buffer.from('[[[]]]'), 'the body has objects or lists nested more than 2 deep'],
  ])('refuses %s and says why', (_, body, message) => {
    expect(() => parseJson(body, 2)).toThrow(expect.objectContaining({ code: 'bad-input', message }));
  });

  it('counts the depth of the value that JSON.parse returns, whatever brackets its strings have', () => {
    const depth = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'a', '\n') });
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 6 }, text, fc.array(tie('tree')), fc.dictionary(text, tie('tree'))),
    }));
    fc.assert(
      fc.property(tree, (json) => {
        const written = Buffer.from(JSON.stringify(json, null, 1));
        expect(isDeeperThan(written, depth(json))).toBe(false);
        if (depth(json) > 0) expect(isDeeperThan(written, depth(json) - 1)).toBe(true);
      }),
    );
  });
});
