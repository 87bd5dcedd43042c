import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, it, vi } from 'vitest';
import { startRedis } from '../../dev/services/redis.ts';
import { describeWithOwnService, describeWithService } from '../../dev/services/shared.ts';
import { parseRedisUrl, type RedisLocation } from '../../src/adapters/redis/location.ts';
import { RedisMemberCache } from '../../src/adapters/redis/member-cache.ts';
import { memberCacheContract } from './member-cache.ts';

const IN_TIME = 10_000;

/** Resolves when the cache is connected and keeps lists. */
async function connected(cache: RedisMemberCache): Promise<void> {
  await vi.waitFor(async () => {
    await cache.put('r-999', [7]);
    expect(await cache.get('r-999')).toEqual([7]);
  }, IN_TIME);
}

function at(url: string): RedisLocation {
  const location = parseRedisUrl(url);
  if (location === null) throw new Error('the URL is not one of Redis');
  return location;
}

async function textAt(url: string, key: string): Promise<string | null> {
  const redis = new Redis(url);
  try {
    return await redis.get(key);
  } finally {
    redis.disconnect();
  }
}

await describeWithService('redis', 'with Redis', ({ redis: url }) => {
  memberCacheContract('in Redis', async () => {
    const cache = new RedisMemberCache({ location: at(url), prefix: `${randomUUID()}:` });
    await connected(cache);
    return { cache, stop: () => cache.close() };
  });

  it('reads and writes the keys and values of the neighbour services, which live for 14 days', async () => {
    const prefix = `${randomUUID()}:`;
    const cache = new RedisMemberCache({ location: at(url), prefix });
    const redis = new Redis(url);
    await connected(cache);
    await cache.put('r-5', [1, 2, 3]);
    expect(await redis.get(`${prefix}R5`)).toBe('{"members":[1,2,3]}');
    const ttl = await redis.ttl(`${prefix}R5`);
    expect(ttl).toBeGreaterThan(14 * 86_400 - 60);
    expect(ttl).toBeLessThanOrEqual(14 * 86_400);
    await redis.set(`${prefix}CH1`, '{"members":["4"]}');
    expect(await cache.get('com-1')).toEqual([4]);
    redis.disconnect();
    await cache.close();
  });

  it('mends a list in Redis once the mark of the put has expired', async () => {
    const prefix = `${randomUUID()}:`;
    const cache = new RedisMemberCache({ location: at(url), prefix, reportStandsMs: 200 });
    const other = new RedisMemberCache({ location: at(url), prefix });
    const redis = new Redis(url);
    await Promise.all([connected(cache), connected(other)]);
    await cache.put('r-5', [1]);
    expect(await redis.pttl(`${prefix}{R5}:put`)).toBeGreaterThan(0);
    expect(await other.mend('r-5', [1, 2])).toEqual([1]);
    await vi.waitFor(async () => expect(await other.mend('r-5', [1, 2])).toBeNull(), IN_TIME);
    expect(await redis.get(`${prefix}R5`)).toBe('{"members":[1,2]}');
    expect(await redis.ttl(`${prefix}R5`)).toBeGreaterThan(14 * 86_400 - 60);
    redis.disconnect();
    await Promise.all([cache.close(), other.close()]);
  });

  it('returns no list if the value in Redis has another form or type', async () => {
    const prefix = `${randomUUID()}:`;
    const cache = new RedisMemberCache({ location: at(url), prefix });
    const redis = new Redis(url);
    await connected(cache);
    await redis.set(`${prefix}CH1`, 'garbage');
    expect(await cache.get('com-1')).toBeNull();
    await redis.lpush(`${prefix}CH2`, 'a list');
    expect(await cache.get('com-2')).toBeNull();
    // Redis is not down: the next call is answered at once.
    expect(await cache.get('r-999')).toEqual([7]);
    redis.disconnect();
    await cache.close();
  });
});

await describeWithOwnService('redis', 'with a Redis that fails', () => {
  it('acts as an empty cache while Redis is frozen or gone, and removes lists that became outdated meanwhile', async () => {
    const service = await startRedis({ own: true });
    const changes: string[] = [];
    /**
     * The list of r-6, asked for as soon as Redis answers again, before outdated lists can be
     * removed.
     */
    let firstAnswer: Promise<unknown> = Promise.resolve();
    const cache = new RedisMemberCache({
      location: at(service.url),
      onDown: () => changes.push('down'),
      onUp: () => {
        changes.push('up');
        firstAnswer = cache.get('r-6');
      },
    });
    try {
      await connected(cache);
      await cache.put('r-5', [1, 2]);
      await cache.put('r-6', [1, 2]);
      await service.freeze();
      const before = performance.now();
      await cache.put('r-5', [1]);
      for (let round = 0; round < 20; round += 1) expect(await cache.get('r-6')).toBeNull();
      expect(performance.now() - before).toBeLessThan(500);
      await service.thaw();
      await vi.waitFor(async () => expect(await cache.get('r-6')).toEqual([1, 2]), IN_TIME);
      await connected(cache);
      // Either the old list was removed, or Redis received the new one after all.
      expect(await cache.get('r-5')).not.toEqual([1, 2]);

      await cache.add('r-7', [1, 2]);
      await service.kill();
      expect(await cache.get('r-6')).toBeNull();
      await cache.put('r-6', [1]);
      expect(await cache.mend('r-7', [1])).toBeNull();
      expect(await cache.get('r-7')).toBeNull();
      await vi.waitFor(() => expect(changes.at(-1)).toBe('down'), IN_TIME);
      await service.restart();
      await connected(cache);
      expect(await firstAnswer).toBeNull();
      await vi.waitFor(async () => expect(await textAt(service.url, 'R6')).toBeNull(), IN_TIME);
      expect(changes).toEqual(changes.map((_, index) => (index % 2 === 0 ? 'down' : 'up')));
      expect(changes.at(-1)).toBe('up');
    } finally {
      await cache.close();
      await service.stop();
    }
  });
});
