import { expect, test } from 'vitest';
import { MemoryMemberCache } from '../../src/adapters/memory/member-cache.ts';
import { readMembers } from '../../src/adapters/redis/member-cache.ts';
import { memberCacheContract } from './member-cache.ts';

memberCacheContract('in memory', async () => ({ cache: new MemoryMemberCache(), stop: async () => {} }));

test('in memory, the lists used longest ago go first', async () => {
  const cache = new MemoryMemberCache({ maxIds: 30 });
  await cache.put('r-1', [1]);
  await cache.put('r-2', [1]);
  await cache.put('r-3', [1]);
  await cache.get('r-1');
  await cache.put('r-4', [1]);
  expect(await cache.get('r-1')).toEqual([1]);
  expect(await cache.get('r-2')).toBeNull();
});

test('values in Redis are read leniently, and never in part', () => {
  expect(readMembers('{"members":[1,"2"],"more":1}')).toEqual([1, 2]);
  for (const bad of ['', 'x', '[]', 'null', '{}', '{"members":null}', '{"members":[1,null]}', '{"members":[-1]}']) {
    expect(readMembers(bad)).toBeNull();
  }
});
