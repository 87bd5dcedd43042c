import { expect, it } from 'vitest';
import { parseClientId, parseId, parseMessageId } from '../../../src/domain/ids.ts';

it.each([
  [1, 1],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['1', 1],
  ['1234567', 1_234_567],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('reads %o as an id', (value, id) => {
  expect(parseId(value)).toBe(id);
});

it.each([
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.MAX_SAFE_INTEGER + 1,
  '',
  '0',
  '01',
  '-1',
  '+1',
  '1.0',
  '1e3',
  '0x10',
  ' 1',
  '1\n',
  '9007199254740992',
  '12345678901234567',
  '１',
  null,
  undefined,
  true,
  [1],
  { id: 1 },
])('refuses %o as an id', (value) => {
  expect(parseId(value)).toBeNull();
});

it('reads Optional(5) as 5 where a client sends an id, and nowhere else', () => {
  expect([parseClientId('Optional(5)'), parseClientId('5'), parseClientId(5)]).toEqual([5, 5, 5]);
  expect(parseId('Optional(5)')).toBeNull();
});

it.each([
  'Optional(0)',
  'Optional(05)',
  'Optional(-5)',
  'Optional()',
  'Optional(nil)',
  'Optional(5)\n',
  'Optional("5")',
  'optional(5)',
])('refuses %j as an id of a client', (value) => {
  expect(parseClientId(value)).toBeNull();
});

it('reads a message id of 24 hexadecimal digits', () => {
  expect(parseMessageId('6b030f10cedf3b3501ec1679')).toBe('6b030f10cedf3b3501ec1679');
});

it('returns an upper case message id in lower case', () => {
  expect(parseMessageId('6B030F10CEDF3B3501EC1679')).toBe('6b030f10cedf3b3501ec1679');
});

it.each([
  '',
  '6b030f10cedf3b3501ec167',
  '6b030f10cedf3b3501ec16790',
  '6b030f10cedf3b3501ec167g',
  ' 6b030f10cedf3b3501ec167',
  // The lower case of this letter has two code units, so this text gets longer.
  '\u0130b030f10cedf3b3501ec1679',
  1,
  null,
  undefined,
])('refuses %o as a message id', (value) => {
  expect(parseMessageId(value)).toBeNull();
});
