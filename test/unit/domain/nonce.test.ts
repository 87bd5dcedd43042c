import { expect, it } from 'vitest';
import { checkNonce, isNonce } from '../../../src/domain/nonce.ts';

it.each([1, 64])('allows a nonce of %i characters', (length) => {
  expect(() => checkNonce('x'.repeat(length))).not.toThrow();
});

it.each([0, 65])('refuses a nonce of %i characters and names the limit', (length) => {
  expect(() => checkNonce('x'.repeat(length))).toThrow(
    expect.objectContaining({ code: 'bad-input', message: `nonce has ${length} characters; 1 to 64 are allowed` }),
  );
});

it('counts the characters of a nonce by code points', () => {
  expect(isNonce('😀'.repeat(64))).toBe(true);
  expect(isNonce('😀'.repeat(65))).toBe(false);
});

it.each(['\ud800', 'a\udc00b', '\ude00\ud83d', '\ufffd'])('refuses the nonce %j, which is not well-formed', (nonce) => {
  expect(() => checkNonce(nonce)).toThrow(
    expect.objectContaining({ code: 'bad-input', message: 'nonce must be well-formed Unicode without U+FFFD' }),
  );
});
