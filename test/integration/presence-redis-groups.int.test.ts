import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { startRedis } from '../../dev/services/redis.ts';
import {
  type RunningRedisCluster,
  startRedisCluster,
  startRedisSentinel,
  startSecureRedis,
} from '../../dev/services/redis-stack.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { type PresenceOptions, type RunningPresence, startPresence } from '../../neighbours/presence/server.ts';
import { PresenceClient } from '../support/presence-client.ts';

const IN_TIME = 20_000;
const PASSWORD = 'a-password-that-nobody-sees';

async function start(options: PresenceOptions): Promise<{ presence: RunningPresence; client: PresenceClient }> {
  const presence = await startPresence(options);
  onTestFinished(() => presence.stop());
  await vi.waitFor(() => expect(presence.complete()).toBe(true), IN_TIME);
  const client = await PresenceClient.connect(presence.port);
  onTestFinished(() => client.close());
  return { presence, client };
}

/** Another process on the same Redis shows the places of the users. */
async function expectPlaces(options: PresenceOptions): Promise<void> {
  const { client } = await start(options);
  expect(await client.looking('r-5', [1, 2])).toBe('[2]');
  expect(await client.inVoice(1)).toBe('{"11":["2"]}');
}

async function fill(client: PresenceClient): Promise<void> {
  await client.login('s1', 1);
  await client.state(1, 'r-5');
  await client.login('s2', 2);
  await client.enter(2, 1, 'c-11');
}

await describeWithOwnService('redis', 'presence on several kinds of Redis', () => {
  let group: RunningRedisCluster;
  beforeAll(async () => {
    group = await startRedisCluster();
  });
  afterAll(() => group?.stop());

  it('goes on with the new primary after a failover by Sentinels', { timeout: 90_000 }, async () => {
    const sentinels = await startRedisSentinel();
    onTestFinished(() => sentinels.stop());
    const { presence, client } = await start({ redisUrl: sentinels.url });
    await fill(client);
    await sentinels.failover();
    await vi.waitFor(async () => {
      await client.state(1, 'home');
      await client.state(1, 'r-5');
      expect(presence.complete()).toBe(true);
      await expectPlaces({ redisUrl: sentinels.url });
    }, IN_TIME);
  });

  it('keeps all keys on one node of a Redis Cluster', { timeout: 60_000 }, async () => {
    const { client } = await start({ redisUrl: group.url });
    await fill(client);
    await expectPlaces({ redisUrl: group.url });
  });

  it('goes on with the new primary after a failover in a Redis Cluster', { timeout: 90_000 }, async () => {
    // The first primary, which fails over, has the slot of this tag.
    const options = { redisUrl: group.url, redisPrefix: '{b}:' };
    const { presence, client } = await start(options);
    await fill(client);
    await expectPlaces(options);
    await group.failover();
    await vi.waitFor(async () => {
      await client.state(1, 'home');
      await client.state(1, 'r-5');
      expect(presence.complete()).toBe(true);
      await expectPlaces(options);
    }, IN_TIME);
  });

  it('uses a Redis with TLS, a private authority and a password', { timeout: 60_000 }, async () => {
    const redis = await startSecureRedis({ password: PASSWORD });
    onTestFinished(() => redis.stop());
    const options = { redisUrl: redis.url, redisCa: redis.certificates.ca.cert };
    const { client } = await start(options);
    await fill(client);
    await expectPlaces(options);
  });

  it('needs no other rights at Redis than those of the documentation', { timeout: 60_000 }, async () => {
    const redis = await startRedis({ own: true });
    onTestFinished(() => redis.stop());
    const admin = new Redis(redis.url);
    const reads = ['+get', '+mget', '+smembers', '+zrange', '+zrangebyscore', '+info', '+time', '+eval'];
    const writes = ['+set', '+del', '+sadd', '+srem', '+pexpire', '+zadd', '+zrem'];
    await admin.call('ACL', 'SETUSER', 'presence', 'on', `>${PASSWORD}`, '~presence:*', ...reads, ...writes);
    admin.disconnect();
    const options = { redisUrl: redis.url.replace('//', `//presence:${PASSWORD}@`) };
    const { presence, client } = await start(options);
    await fill(client);
    await expectPlaces(options);
    await client.leave(2, 1, 'c-11');
    expect(await client.logout('s2')).toBe('2,home');
    expect(await client.logout('s1')).toBe('1,r-5');
    expect(presence.complete()).toBe(true);
  });
});
