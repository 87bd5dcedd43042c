import { expect, it } from 'vitest';
import { countChars, firstChars, hasMoreCharsThan, isBlank } from '../../../src/domain/text.ts';

const FAMILY = '👩‍👩‍👧';

it.each([
  '',
  ' \t\r\n\v\f\u0085\u00a0\u1680\u2028\u3000',
  '\u200b\u200c\u200d\u2060\ufeff',
  '\u00ad\u061c\u115f\u3164\uffa0',
  '\ufe0f\u{e0001}\u{e007f}',
  '\u202e\u2069\u0000\u007f',
  '\u2800',
])('takes %j for blank', (text) => {
  expect(isBlank(text)).toBe(true);
});

it.each(['x', ' . ', '\u200b한\u200b', FAMILY, '\u0301', '\ufffd', '٠', '\u{e000}'])('takes %j for visible', (text) => {
  expect(isBlank(text)).toBe(false);
});

it('counts code points, so an emoji is one character and its joiners count by themselves', () => {
  expect([countChars(''), countChars('aé😀'), countChars(FAMILY), countChars('\ud83d\ud83d\ude00')]).toEqual([
    0, 3, 5, 2,
  ]);
});

it.each([
  ['', 0, false],
  ['aaa', 3, false],
  ['aaaa', 3, true],
  ['😀😀😀', 3, false],
  ['😀😀😀a', 3, true],
  ['😀😀😀😀', 3, true],
])('compares the number of characters of %j with %i', (text, max, more) => {
  expect(hasMoreCharsThan(text, max)).toBe(more);
});

it('cuts a text between two characters', () => {
  expect(firstChars('ab😀c', 3)).toBe('ab😀');
  expect(firstChars('ab😀c', 2)).toBe('ab');
  expect(firstChars('😀😀', 2)).toBe('😀😀');
  expect(firstChars('abc', 0)).toBe('');
});
