import { expect, it } from 'vitest';
import { MemoryMemberCache } from '../../src/adapters/memory/member-cache.ts';
import { readMembers } from '../../src/adapters/redis/member-cache.ts';
import { memberCacheContract } from './member-cache.ts';

memberCacheContract('in memory', async () => ({ cache: new MemoryMemberCache(), stop: async () => {} }));

it('mends a list in memory 10 seconds after it was put', async () => {
  let now = 0;
  const cache = new MemoryMemberCache({ now: () => now });
  await cache.put('r-5', [1]);
  now = 9_999;
  expect(await cache.mend('r-5', [1, 2])).toEqual([1]);
  now = 10_000;
  expect(await cache.mend('r-5', [1, 2])).toBeNull();
  expect(await cache.get('r-5')).toEqual([1, 2]);
});

it('drops the least recently used lists of the memory cache when they hold too many ids', async () => {
  const cache = new MemoryMemberCache({ maxIds: 30 });
  await cache.put('r-1', [1]);
  await cache.put('r-2', [1]);
  await cache.put('r-3', [1]);
  await cache.get('r-1');
  await cache.put('r-4', [1]);
  expect(await cache.get('r-1')).toEqual([1]);
  expect(await cache.get('r-2')).toBeNull();
});

it('reads ids in Redis as numbers or decimal texts, and ignores further fields', () => {
  expect(readMembers('{"members":[1,"2"],"more":1}')).toEqual([1, 2]);
});

it('reads no list from a value in Redis that is not valid, not even a part of it', () => {
  for (const bad of ['', 'x', '[]', 'null', '{}', '{"members":null}', '{"members":[1,null]}', '{"members":[-1]}']) {
    expect(readMembers(bad)).toBeNull();
  }
});
