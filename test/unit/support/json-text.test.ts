import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJsonText } from '../../../src/adapters/support/json-text.ts';

it('replaces a lone surrogate in every string and key of a JSON text by U+FFFD', () => {
  const json = JSON.stringify({ a: 'x\ud83d', b: ['\ude00', { c: '😀\ud800', 'k\udc00': 1 }], __proto: null });
  expect(parseJsonText(json)).toEqual({ a: 'x\ufffd', b: ['\ufffd', { c: '😀\ufffd', 'k\ufffd': 1 }], __proto: null });
});

it('keeps a key of a prototype an ordinary key', () => {
  const parsed = parseJsonText('{"__proto__":{"a\\ud83d":1},"b\\ud83d":"\\ud83d"}') as object;
  expect(Object.keys(parsed)).toEqual(['__proto__', 'b\ufffd']);
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
});

it('skips a byte order mark at the beginning, and keeps one inside of a string', () => {
  expect(parseJsonText('\ufeff{"a":"\ufeffb"}')).toEqual({ a: '\ufeffb' });
  expect(() => parseJsonText('\ufeff\ufeff{}')).toThrow(SyntaxError);
});

it('parses a JSON text without lone surrogates as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
      expect(parseJsonText(json)).toEqual(JSON.parse(json));
    }),
  );
});
