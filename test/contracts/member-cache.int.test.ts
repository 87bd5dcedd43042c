import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, test, vi } from 'vitest';
import { startRedis } from '../../dev/services/redis.ts';
import { describeWithOwnService, describeWithService } from '../../dev/services/shared.ts';
import { RedisMemberCache } from '../../src/adapters/redis/member-cache.ts';
import { memberCacheContract } from './member-cache.ts';

await describeWithService('redis', 'with Redis', ({ redis: url }) => {
  memberCacheContract('in Redis', async () => {
    const cache = new RedisMemberCache({ url, prefix: `${randomUUID()}:` });
    expect(await cache.connected(5_000)).toBe(true);
    return { cache, stop: () => cache.close() };
  });

  test('keys, values and their life are those that the neighbours know', async () => {
    const prefix = `${randomUUID()}:`;
    const cache = new RedisMemberCache({ url, prefix });
    const redis = new Redis(url);
    await cache.connected(5_000);
    await cache.put('r-5', [1, 2, 3]);
    expect(await redis.get(`${prefix}R5`)).toBe('{"members":[1,2,3]}');
    const ttl = await redis.ttl(`${prefix}R5`);
    expect(ttl).toBeGreaterThan(14 * 86_400 - 60);
    expect(ttl).toBeLessThanOrEqual(14 * 86_400);
    await redis.set(`${prefix}CH1`, '{"members":["4"]}');
    expect(await cache.get('com-1')).toEqual([4]);
    await redis.set(`${prefix}CH1`, 'garbage');
    expect(await cache.get('com-1')).toBeNull();
    await redis.lpush(`${prefix}CH2`, 'a list');
    expect(await cache.get('com-2')).toBeNull();
    redis.disconnect();
    await cache.close();
  });
});

await describeWithOwnService('redis', 'with a Redis that fails', () => {
  test('is an empty cache while Redis is frozen or gone, and drops what was outdated meanwhile', async () => {
    const service = await startRedis({ own: true });
    const cache = new RedisMemberCache({ url: service.url });
    try {
      expect(await cache.connected(5_000)).toBe(true);
      await cache.put('r-5', [1, 2]);
      await cache.put('r-6', [1, 2]);
      await service.freeze();
      const before = performance.now();
      await cache.put('r-5', [1]);
      for (let round = 0; round < 20; round += 1) expect(await cache.get('r-6')).toBeNull();
      expect(performance.now() - before).toBeLessThan(500);
      await service.thaw();
      await vi.waitFor(async () => expect(await cache.get('r-6')).toEqual([1, 2]), 10_000);
      await vi.waitFor(async () => {
        await cache.put('r-7', [7]);
        expect(await cache.get('r-7')).toEqual([7]);
      }, 10_000);
      // Either the old list was removed, or the new one had arrived after all.
      expect(await cache.get('r-5')).not.toEqual([1, 2]);

      await service.kill();
      expect(await cache.get('r-6')).toBeNull();
      await cache.put('r-6', [1]);
      await service.restart();
      await vi.waitFor(async () => expect(await cache.get('r-7')).toEqual([7]), 10_000);
      expect(await cache.get('r-6')).toBeNull();
    } finally {
      await cache.close();
      await service.stop();
    }
  });
});
