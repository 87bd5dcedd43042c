import { expect, it } from 'vitest';
import { SharedReads } from '../../../../src/application/membership/shared-reads.ts';
import { HandClock } from '../../../support/hand-clock.ts';
import { settled } from './fixture.ts';

function setUp() {
  const clock = new HandClock();
  const began: string[] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const read = (key: string): Promise<void> => {
    began.push(key);
    return new Promise((resolve, reject) => ends.push({ resolve, reject }));
  };
  const reads = new SharedReads<string>({ clock, read });
  const endNext = async (error?: Error): Promise<void> => {
    await settled();
    const end = ends.shift();
    if (error === undefined) end?.resolve();
    else end?.reject(error);
    await settled();
  };
  return { clock, reads, began, endNext };
}

it('shares a read that has not begun, and begins another one for a caller who comes later', async () => {
  const { reads, began, endNext } = setUp();
  const first = [reads.read('a', false), reads.read('a', true)];
  await settled();
  expect(began).toEqual(['a']);
  const second = [reads.read('a', false), reads.read('a', false)];
  await settled();
  expect(began).toEqual(['a']);
  await endNext();
  await Promise.all(first);
  expect(began).toEqual(['a', 'a']);
  await endNext();
  await Promise.all(second);
});

it('reads different keys at the same time', async () => {
  const { reads, began } = setUp();
  void reads.read('a', false);
  void reads.read('b', false);
  await settled();
  expect(began).toEqual(['a', 'b']);
});

it('begins at most five reads of a key in a second', async () => {
  const { clock, reads, began, endNext } = setUp();
  for (let count = 0; count < 5; count += 1) {
    void reads.read('a', false);
    await endNext();
    clock.pass(100);
  }
  const sixth = reads.read('a', false);
  await settled();
  expect(began).toHaveLength(5);
  clock.pass(499);
  await settled();
  expect(began).toHaveLength(5);
  clock.pass(1);
  await endNext();
  await sixth;
  expect(began).toHaveLength(6);
});

it('hands the error of a read to its callers, and goes on with the next read', async () => {
  const { reads, endNext } = setUp();
  const failed = expect(reads.read('a', false)).rejects.toThrow('away');
  await settled();
  const next = reads.read('a', false);
  await endNext(new Error('away'));
  await failed;
  await endNext();
  await next;
});
