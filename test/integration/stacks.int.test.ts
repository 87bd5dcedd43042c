import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { expect, it } from 'vitest';
import { startKafkaCluster } from '../../dev/services/kafka-cluster.ts';
import { Kafka } from '../../dev/services/kafkajs.ts';
import { startSecuredMongo } from '../../dev/services/mongo-secured.ts';
import { startRedisCluster, startRedisSentinel, startSecureRedis } from '../../dev/services/redis-stack.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';

await describeWithOwnService('mongo', 'a secured MongoDB', () => {
  it('takes commands over TLS with a login only, also after a restart', { timeout: 60_000 }, async () => {
    const mongo = await startSecuredMongo();
    const outcome = async (url: string): Promise<string> => {
      const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000 });
      try {
        await client.db('chat').collection('any').insertOne({});
        return 'written';
      } catch (error) {
        return String(error);
      } finally {
        await client.close();
      }
    };
    try {
      await mongo.restart();
      expect(await outcome(mongo.url)).toBe('written');
      expect(await outcome(mongo.url.replace(/\/\/.*@/, '//'))).toMatch(/requires authentication/);
      expect(await outcome(mongo.url.replace(/:[^:@]*@/, ':wrong@'))).toMatch(/Authentication failed/);
      expect(await outcome(mongo.url.replace('tls=true', 'tls=false'))).toMatch(/closed|ECONNRESET/);
    } finally {
      await mongo.stop();
    }
  });
});

await describeWithOwnService(['kafka', 'redis'], 'stacks of several services', () => {
  it('starts three brokers with TLS and SASL, of which one is killed and restarted', { timeout: 240_000 }, async () => {
    const cluster = await startKafkaCluster({ security: 'sasl-ssl', mutualTls: true });
    try {
      const admin = new Kafka(cluster.clientConfig).admin();
      await admin.connect();
      await admin.createTopics({
        topics: [{ topic: 'a', numPartitions: 1, replicationFactor: 3 }],
        waitForLeaders: false,
      });
      await cluster.members[2]?.kill();
      await cluster.members[2]?.restart();
      expect((await admin.describeCluster()).brokers.length).toBeGreaterThanOrEqual(2);
      await admin.disconnect();
      for (const sasl of [
        { mechanism: 'plain', ...cluster.user },
        { mechanism: 'scram-sha-256', ...cluster.user },
      ] as const) {
        const other = new Kafka({ ...cluster.clientConfig, sasl }).admin();
        await other.connect();
        await other.disconnect();
      }
      const { ssl, ...rest } = cluster.clientConfig;
      const { ca } = typeof ssl === 'object' ? ssl : { ca: undefined };
      const bare = new Kafka({ ...rest, ssl: { ca }, retry: { retries: 0 } }).admin();
      await expect(bare.connect()).rejects.toThrow();
      await bare.disconnect();
      const wrong = { mechanism: 'scram-sha-512', username: 'chat', password: 'wrong' } as const;
      const stranger = new Kafka({ ...cluster.clientConfig, sasl: wrong, retry: { retries: 0 } }).admin();
      await expect(stranger.connect()).rejects.toThrow(/SASL|auth/i);
      await stranger.disconnect();
    } finally {
      await cluster.stop();
    }
  });

  it('makes the replica of a Sentinel group the primary', { timeout: 60_000 }, async () => {
    const group = await startRedisSentinel();
    try {
      expect(await group.primary()).toBe(0);
      await group.failover();
      expect(await group.primary()).toBe(1);
    } finally {
      await group.stop();
    }
  });

  it('starts a Redis Cluster that serves all slots', { timeout: 60_000 }, async () => {
    const group = await startRedisCluster();
    try {
      const hosts = new URL(group.url.replace(/,.*/, ''));
      const client = new Redis.Cluster([{ host: hosts.hostname, port: Number(hosts.port) }]);
      for (const key of ['a', 'b', 'c', 'd']) expect(await client.set(key, '1')).toBe('OK');
      client.disconnect();
    } finally {
      await group.stop();
    }
  });

  it('starts a Redis with TLS and a password', { timeout: 60_000 }, async () => {
    const secure = await startSecureRedis({ password: 'word' });
    try {
      const client = new Redis(secure.url, { tls: { ca: secure.certificates.ca.cert } });
      expect(await client.ping()).toBe('PONG');
      client.disconnect();
      const untrusting = new Redis(secure.url, { lazyConnect: true, retryStrategy: () => null });
      untrusting.on('error', () => {});
      await expect(untrusting.connect()).rejects.toThrow();
    } finally {
      await secure.stop();
    }
  });
});
