import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startRedis } from '../../dev/services/redis.ts';
import {
  type RunningRedisCluster,
  type RunningSentinel,
  startRedisCluster,
  startRedisSentinel,
} from '../../dev/services/redis-stack.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { parseRedisUrl, type RedisLocation } from '../../src/adapters/redis/location.ts';
import { RedisMemberCache } from '../../src/adapters/redis/member-cache.ts';
import { memberCacheContract } from './member-cache.ts';

const IN_TIME = { timeout: 20_000, interval: 50 };

function at(url: string): RedisLocation {
  const location = parseRedisUrl(url);
  if (location === null) throw new Error('the URL is not one of Redis');
  return location;
}

/** Resolves with a cache that keeps lists. */
async function open(url: string, prefix: string, onRefused = (_error: string) => {}): Promise<RedisMemberCache> {
  const cache = new RedisMemberCache({ location: at(url), prefix, onRefused });
  await vi.waitFor(async () => {
    await cache.put('r-999', [7]);
    expect(await cache.get('r-999')).toEqual([7]);
  }, IN_TIME);
  return cache;
}

/** The braces keep a list and its mark on one node of a cluster, as they are without a prefix. */
const newPrefix = (): string => `{${randomUUID()}}:`;

await describeWithOwnService('redis', 'with Sentinels', () => {
  let group: RunningSentinel;
  beforeAll(async () => {
    group = await startRedisSentinel();
  });
  afterAll(() => group?.stop());

  memberCacheContract('at the primary that Sentinels name', async () => {
    const cache = await open(group.url, newPrefix());
    return { cache, stop: () => cache.close() };
  });

  it('goes on at the new primary after a failover', async () => {
    const prefix = newPrefix();
    const cache = await open(group.url, prefix);
    await group.failover();
    const other = await open(group.url, prefix);
    await vi.waitFor(async () => {
      await cache.put('r-5', [1, 2]);
      expect(await other.get('r-5')).toEqual([1, 2]);
    }, IN_TIME);
    await Promise.all([cache.close(), other.close()]);
  });
});

await describeWithOwnService('redis', 'with a Redis Cluster', () => {
  let group: RunningRedisCluster;
  beforeAll(async () => {
    group = await startRedisCluster();
  });
  afterAll(() => group?.stop());

  memberCacheContract('over the nodes of a cluster', async () => {
    const cache = await open(group.url, newPrefix());
    return { cache, stop: () => cache.close() };
  });

  it('keeps lists on all nodes under the keys of the neighbour services', async () => {
    const cache = await open(group.url, '');
    for (let room = 1; room <= 30; room += 1) await cache.put(`r-${room}`, [room]);
    const other = await open(group.url, '');
    for (let room = 1; room <= 30; room += 1) expect(await other.get(`r-${room}`)).toEqual([room]);
    await Promise.all([cache.close(), other.close()]);
  });

  it('removes lists that the failover of a node may have set back to older members', async () => {
    const cache = await open(group.url, '');
    for (let room = 1; room <= 9; room += 1) await cache.put(`r-${room}`, [1]);
    const admin = new Redis(await group.failover(), '127.0.0.1');
    // A list of the node that was replaced.
    const [key = ''] = await admin.keys('R?');
    expect(key).toMatch(/^R\d$/);
    // As a replica that did not get the last write.
    await admin.set(key, '{"members":[1,2]}');
    await vi.waitFor(async () => expect(await admin.get(key)).toBeNull(), IN_TIME);
    admin.disconnect();
    await cache.close();
  });
});

await describeWithOwnService('redis', 'with a Redis that loses or refuses writes', () => {
  it('connects again to a host that has become a replica, and drops the list that it could not replace', async () => {
    const redis = await startRedis({ own: true });
    const admin = new Redis(redis.url);
    const [cache, other] = await Promise.all([open(redis.url, ''), open(redis.url, '')]);
    await cache.put('r-5', [1, 2]);
    await admin.replicaof('127.0.0.1', 1);
    await cache.put('r-5', [1]);
    expect(await cache.get('r-5')).toBeNull();
    await admin.replicaof('NO', 'ONE');
    await vi.waitFor(async () => expect(await other.get('r-5')).toBeNull(), IN_TIME);
    admin.disconnect();
    await Promise.all([cache.close(), other.close()]);
    await redis.stop();
  });

  it('removes the old list from a Redis without free memory', async () => {
    const redis = await startRedis({ own: true });
    const admin = new Redis(redis.url);
    const refused: string[] = [];
    const [cache, other] = await Promise.all([
      open(redis.url, '', (error) => refused.push(error)),
      open(redis.url, ''),
    ]);
    await cache.put('r-5', [1, 2]);
    await admin.config('SET', 'maxmemory', '1');
    await cache.put('r-5', [1]);
    await cache.put('r-6', [1]);
    expect(refused).toEqual([expect.stringContaining('OOM')]);
    await vi.waitFor(async () => expect(await other.get('r-5')).toBeNull(), IN_TIME);
    await admin.config('SET', 'maxmemory', '0');
    await cache.put('r-5', [1]);
    expect(await other.get('r-5')).toEqual([1]);
    admin.disconnect();
    await Promise.all([cache.close(), other.close()]);
    await redis.stop();
  });

  it('removes lists that a failover may have set back to older members', async () => {
    const redis = await startRedis({ own: true });
    const admin = new Redis(redis.url);
    const [cache, other] = await Promise.all([open(redis.url, ''), open(redis.url, '')]);
    await cache.put('r-5', [1]);
    // As a replica that did not get the last write.
    await admin.set('R5', '{"members":[1,2]}');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await vi.waitFor(async () => expect(await admin.get('R5')).toBeNull(), IN_TIME);
    await vi.waitFor(async () => {
      await cache.put('r-5', [1]);
      expect(await other.get('r-5')).toEqual([1]);
    }, IN_TIME);
    admin.disconnect();
    await Promise.all([cache.close(), other.close()]);
    await redis.stop();
  });
});
