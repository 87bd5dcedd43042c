import { expect, it, vi } from 'vitest';
import { type RunningSecureRedis, startSecureRedis } from '../../dev/services/redis-stack.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { parseRedisUrl } from '../../src/adapters/redis/location.ts';
import { RedisMemberCache } from '../../src/adapters/redis/member-cache.ts';
import { refusedBy } from '../../src/bootstrap/refused.ts';

const PASSWORD = 'a-password-that-nobody-sees';
const IN_TIME = 10_000;
const STARTS_IN = 60_000;

function cacheOf(url: string, ca: string | null, onDown?: (error: string) => void): RedisMemberCache {
  const location = parseRedisUrl(url);
  if (location === null) throw new Error('the URL is not one of Redis');
  return new RedisMemberCache({ location, tls: ca === null ? {} : { ca }, ...(onDown && { onDown }) });
}

await describeWithOwnService('redis', 'with a Redis that has TLS and a password', () => {
  it('keeps lists with the authority of the configuration', { timeout: STARTS_IN }, async () => {
    const redis = await startSecureRedis({ password: PASSWORD });
    const cache = cacheOf(redis.url, redis.certificates.ca.cert);
    try {
      await vi.waitFor(async () => {
        await cache.put('r-5', [1]);
        expect(await cache.get('r-5')).toEqual([1]);
      }, IN_TIME);
    } finally {
      await cache.close();
      await redis.stop();
    }
  });

  type Mistake = (redis: RunningSecureRedis) => readonly [url: string, ca: string | null];
  const trusted: Mistake = ({ url, certificates }) => [url, certificates.ca.cert];
  it.each<[string, 'server' | 'expired' | 'wrongName', Mistake, string]>([
    [
      'an unknown authority',
      'server',
      ({ url }) => [url, null],
      'REDIS_TLS_CA: an unknown authority has signed the certificate',
    ],
    ['an expired certificate', 'expired', trusted, 'REDIS_TLS_CA: the certificate has expired'],
    ['a certificate for another name', 'wrongName', trusted, 'REDIS_URL: the certificate is for another name'],
    [
      'a wrong password',
      'server',
      ({ url, certificates }) => [url.replace(PASSWORD, 'x'), certificates.ca.cert],
      'REDIS_URL: Redis refuses the user or the password',
    ],
  ])('names the variable of %s', { timeout: STARTS_IN }, async (_, certificate, mistake, expected) => {
    const redis = await startSecureRedis({ password: PASSWORD, certificate });
    const refusals: string[] = [];
    const cache = cacheOf(...mistake(redis), (error) => void refusals.push(error));
    try {
      await vi.waitFor(() => expect(refusals.length).toBeGreaterThan(0), IN_TIME);
      const refused = refusedBy('REDIS_URL', refusals[0]);
      expect(`${refused?.variable}: ${refused?.text}`).toBe(expected);
      expect(refusals.join()).not.toContain(PASSWORD);
    } finally {
      await cache.close();
      await redis.stop();
    }
  });
});
