import { expect, it, vi } from 'vitest';
import { startSecureRedis } from '../../dev/services/redis-stack.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { parseRedisUrl } from '../../src/adapters/redis/location.ts';
import { RedisMemberCache } from '../../src/adapters/redis/member-cache.ts';
import { refusedBy } from '../../src/bootstrap/refused.ts';

await describeWithOwnService('redis', 'with a Redis that has TLS and a password', () => {
  it('keeps lists with the authority of the configuration, and names REDIS_TLS_CA without it', async () => {
    const redis = await startSecureRedis({ password: 'a-password-that-nobody-sees' });
    const refusals: string[] = [];
    const location = parseRedisUrl(redis.url);
    if (location === null) throw new Error('the URL is not one of Redis');
    const tls = { ca: redis.certificates.ca.cert };
    const cache = new RedisMemberCache({ location, tls });
    const without = new RedisMemberCache({ location, tls: {}, onDown: (error) => void refusals.push(error) });
    try {
      await vi.waitFor(async () => {
        await cache.put('r-5', [1]);
        expect(await cache.get('r-5')).toEqual([1]);
      }, 10_000);
      await vi.waitFor(() => expect(refusals.length).toBeGreaterThan(0), 10_000);
      expect(refusedBy('REDIS_URL', refusals[0])).toEqual({
        variable: 'REDIS_TLS_CA',
        text: 'an unknown authority has signed the certificate',
      });
    } finally {
      await Promise.all([cache.close(), without.close()]);
      await redis.stop();
    }
  }, 60_000);
});
