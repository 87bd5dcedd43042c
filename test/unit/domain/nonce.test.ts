import { expect, it } from 'vitest';
import { checkNonce } from '../../../src/domain/nonce.ts';

it.each([1, 64])('allows a nonce of %i characters', (length) => {
  expect(() => checkNonce('x'.repeat(length))).not.toThrow();
});

it.each([0, 65])('refuses a nonce of %i characters and names the limit', (length) => {
  expect(() => checkNonce('x'.repeat(length))).toThrow(
    expect.objectContaining({ code: 'bad-input', message: `nonce has ${length} characters; 1 to 64 are allowed` }),
  );
});
