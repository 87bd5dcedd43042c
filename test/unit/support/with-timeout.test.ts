import { expect, it } from 'vitest';
import { withTimeout } from '../../../src/adapters/support/with-timeout.ts';

it('gives the result of work that is done in time', async () => {
  expect(await withTimeout(10_000, Promise.resolve(5), () => new Error('too late'))).toBe(5);
});

it('rejects with the given error when the work takes longer', async () => {
  await expect(withTimeout(1, new Promise(() => {}), () => new Error('too late'))).rejects.toThrow('too late');
});

it('passes on the error of the work', async () => {
  await expect(withTimeout(10_000, Promise.reject(new Error('broken')), () => new Error('too late'))).rejects.toThrow(
    'broken',
  );
});
