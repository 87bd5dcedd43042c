import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { parseRedisUrl } from '../../src/adapters/redis/location.ts';
import { RedisSharedRates } from '../../src/adapters/redis/shared-rates.ts';
import { sharedRatesContract } from './shared-rates.ts';

const LIMITS = { message: { actions: 1, seconds: 60 }, upload: { actions: 1, seconds: 60 } };

await describeWithService('redis', 'with Redis', ({ redis: url }) => {
  const location = parseRedisUrl(url);
  if (location === null) throw new Error('the URL is not one of Redis');

  sharedRatesContract('in Redis', async (limits) => {
    const prefix = `${randomUUID()}:`;
    const open = async () => {
      const rates = new RedisSharedRates({ location, limits, prefix });
      await vi.waitFor(async () => expect(await rates.take('upload', 999)).not.toBeNull(), 10_000);
      return rates;
    };
    const servers = [await open(), await open()] as const;
    return { servers, stop: async () => servers.forEach((rates) => void rates.close()) };
  });

  it('cannot count while Redis is away, and says so without an error', async () => {
    const away = parseRedisUrl('redis://127.0.0.1:1');
    if (away === null) throw new Error('the URL is not one of Redis');
    const rates = new RedisSharedRates({ location: away, limits: LIMITS });
    expect(await rates.take('message', 7)).toBeNull();
    rates.close();
  });
});
