import { expect, it } from 'vitest';
import { BoundedMap } from '../../../src/application/bounded-map.ts';

it('drops the oldest entry over its limit and returns its key', () => {
  const map = new BoundedMap<string, number>(2);
  expect([map.set('a', 1), map.set('b', 2), map.set('c', 3)]).toEqual([undefined, undefined, 'a']);
  expect([...map]).toEqual([
    ['b', 2],
    ['c', 3],
  ]);
});

it('makes a key the newest when it is set again, and not when it is read', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.get('b');
  map.set('a', 3);
  expect(map.set('c', 4)).toBe('b');
  expect(map.get('a')).toBe(3);
});
