import { expect, it } from 'vitest';
import { asRefusal, Refusal } from '../../../src/domain/errors.ts';

it('keeps the code and the message of a refusal', () => {
  const refusal = new Refusal('too-large', 'content has 9 characters; the limit is 8');
  expect(refusal).toBeInstanceOf(Error);
  expect([refusal.name, refusal.code, refusal.message]).toEqual([
    'Refusal',
    'too-large',
    'content has 9 characters; the limit is 8',
  ]);
});

it('records no stack for a refusal, and a stack for the next error', () => {
  expect(new Refusal('bad-input', 'x').stack).not.toContain('\n');
  expect(new Error('x').stack).toContain('\n');
});

it('passes a refusal through unchanged', () => {
  const refusal = new Refusal('not-permitted', 'no');
  expect(asRefusal(refusal)).toBe(refusal);
});

it.each([new TypeError('password is secret'), 'password is secret', undefined])(
  'turns %o into an internal refusal that shows nothing of it',
  (thrown) => {
    const refusal = asRefusal(thrown);
    expect(refusal.code).toBe('internal');
    expect(refusal.message).not.toContain('secret');
  },
);
