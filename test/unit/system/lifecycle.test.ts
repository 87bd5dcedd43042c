import { expect, it } from 'vitest';
import { Lifecycle } from '../../../src/bootstrap/lifecycle.ts';

const LONG_MS = 60_000;

function start() {
  const stopped: string[] = [];
  const failed: [name: string, message: string][] = [];
  const lifecycle = new Lifecycle((name, error) => failed.push([name, error instanceof Error ? error.message : '']));
  const add = (name: string, stop: () => Promise<void> | void = () => {}) =>
    lifecycle.onStop(name, () => {
      stopped.push(name);
      return stop();
    });
  return { lifecycle, add, stopped, failed };
}

it('stops all parts, the last started first, and each only after the one before has stopped', async () => {
  const { lifecycle, add, stopped } = start();
  const slow = Promise.withResolvers<void>();
  add('store');
  add('bus', () => slow.promise);
  add('clients');
  const done = lifecycle.stop(LONG_MS);
  await new Promise((resolve) => setImmediate(resolve));
  expect(stopped).toEqual(['clients', 'bus']);
  slow.resolve();
  await done;
  expect(stopped).toEqual(['clients', 'bus', 'store']);
});

it('stops the other parts when one fails or throws, and reports the failure', async () => {
  const { lifecycle, add, stopped, failed } = start();
  add('store');
  add('bus', () => Promise.reject(new Error('no answer')));
  add('clients', () => {
    throw new Error('broken');
  });
  await lifecycle.stop(LONG_MS);
  expect(stopped).toEqual(['clients', 'bus', 'store']);
  expect(failed).toEqual([
    ['clients', 'broken'],
    ['bus', 'no answer'],
  ]);
});

it('does not wait longer than the limit for a part that never stops', async () => {
  const { lifecycle, add, stopped, failed } = start();
  add('store');
  add('bus', () => new Promise(() => {}));
  await lifecycle.stop(1);
  expect(stopped).toEqual(['bus', 'store']);
  expect(failed).toEqual([['bus', 'did not stop within 1 ms']]);
});

it('stops each part once, however often it is asked to stop', async () => {
  const { lifecycle, add, stopped } = start();
  add('store');
  await Promise.all([lifecycle.stop(LONG_MS), lifecycle.stop(LONG_MS)]);
  await lifecycle.stop(LONG_MS);
  expect(stopped).toEqual(['store']);
});
