import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, expect, test } from 'vitest';
import { startKafka } from '../support/services/kafka.ts';
import { startMongo } from '../support/services/mongo.ts';
import { startRedis } from '../support/services/redis.ts';
import type { RunningService } from '../support/services/service.ts';
import { describeWithOwnService, describeWithService } from '../support/services/shared.ts';

const started: RunningService[] = [];
function remember<Service extends RunningService>(service: Service): Service {
  started.push(service);
  return service;
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.stop()));
});

function folders(name: string): string[] {
  return readdirSync(tmpdir()).filter((entry) => entry.startsWith(`chat-test-${name}-`));
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/cmdline`);
}

await describeWithService(['kafka', 'mongo', 'redis'], 'the shared services', ({ kafka, mongo, redis }) => {
  const client = new MongoClient(mongo);
  afterAll(() => client.close());

  test('MongoDB answers, with transactions', async () => {
    const notes = client.db('services-test').collection('notes');
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await notes.insertOne({ text: 'kept' }, { session });
      }),
    );
    expect(await notes.countDocuments()).toBe(1);
    await client.db('services-test').dropDatabase();
  });

  test('Redis answers', async () => {
    const connection = new Redis(redis);
    expect(await connection.ping()).toBe('PONG');
    connection.disconnect();
  });

  test('Kafka answers, and makes no topic unasked', async () => {
    const admin = new Kafka({ brokers: [...kafka], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
    await admin.connect();
    await expect(admin.fetchTopicOffsets('never-made')).rejects.toThrow();
    expect(await admin.listTopics()).not.toContain('never-made');
    await admin.disconnect();
  });
});

await describeWithOwnService('redis', 'a Redis of our own', () => {
  test('keeps what it acknowledged when killed, hangs when frozen, leaves nothing when stopped', async () => {
    const before = folders('redis');
    const redis = remember(await startRedis({ own: true }));
    const url = redis.url;
    const first = new Redis(url, { retryStrategy: () => null });
    first.on('error', () => {});
    await first.set('greeting', 'hello');
    await redis.kill();
    expect(redis.pid).toBeUndefined();
    await redis.restart();
    expect(redis.url).toBe(url);

    const second = new Redis(url);
    expect(await second.get('greeting')).toBe('hello');
    await redis.freeze();
    let answered = false;
    const pong = second.ping().then(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(answered).toBe(false);
    await redis.thaw();
    await pong;
    second.disconnect();

    const { pid } = redis;
    await redis.stop();
    await redis.stop();
    if (pid !== undefined) expect(isAlive(pid)).toBe(false);
    expect(folders('redis')).toEqual(before);
  });
});

await describeWithOwnService('mongo', 'a MongoDB of our own', () => {
  test('keeps what it acknowledged when killed', async () => {
    const mongo = remember(await startMongo({ own: true }));
    const client = new MongoClient(mongo.url);
    const notes = client.db('chat').collection('notes');
    await notes.insertOne({ text: 'hello' }, { writeConcern: { w: 'majority', journal: true } });
    await mongo.kill();
    await mongo.restart();
    expect(await notes.countDocuments({ text: 'hello' })).toBe(1);
    await client.close();
  });
});

await describeWithOwnService('kafka', 'a Kafka of our own', () => {
  test('keeps topics and records when killed', async () => {
    const kafka = remember(await startKafka({ own: true, heapMb: 256 }));
    const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }], waitForLeaders: true });
    const producer = client.producer();
    await producer.connect();
    await producer.send({ topic: 'kept', acks: -1, messages: [{ value: 'one' }] });
    await producer.disconnect();
    await admin.disconnect();
    await kafka.kill();
    await kafka.restart();
    await admin.connect();
    expect(await admin.fetchTopicOffsets('kept')).toMatchObject([{ partition: 0, high: '1' }]);
    await admin.disconnect();
  });
});
