import { expect, it } from 'vitest';
import { Semaphore } from '../../../src/adapters/support/semaphore.ts';

const never = new AbortController().signal;

it('admits callers up to its limit at once, and the others in the order of their calls', async () => {
  const semaphore = new Semaphore(2);
  const admitted: string[] = [];
  const enter = (name: string) => semaphore.enter(never).then(() => admitted.push(name));
  const all = ['a', 'b', 'c', 'd'].map(enter);
  await Promise.all(all.slice(0, 2));
  expect(admitted).toEqual(['a', 'b']);
  expect(semaphore.waiting).toBe(2);
  semaphore.leave();
  await all[2];
  expect(admitted).toEqual(['a', 'b', 'c']);
  semaphore.leave();
  await all[3];
  expect(semaphore.waiting).toBe(0);
});

it('rejects a waiting caller whose signal is aborted, and admits the next one instead', async () => {
  const semaphore = new Semaphore(1);
  await semaphore.enter(never);
  const aborting = new AbortController();
  const first = semaphore.enter(aborting.signal);
  const second = semaphore.enter(never);
  aborting.abort(new Error('too late'));
  await expect(first).rejects.toThrow('too late');
  expect(semaphore.waiting).toBe(1);
  semaphore.leave();
  await second;
});

it('admits as many callers again as have left', async () => {
  const semaphore = new Semaphore(1);
  await semaphore.enter(never);
  semaphore.leave();
  await semaphore.enter(never);
  let isAdmitted = false;
  const third = semaphore.enter(never).then(() => {
    isAdmitted = true;
  });
  await Promise.resolve();
  expect(isAdmitted).toBe(false);
  semaphore.leave();
  await third;
});
