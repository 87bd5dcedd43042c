import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../dev/services/free-port.ts';
import { startKafka } from '../../dev/services/kafka.ts';
import { Kafka, logLevel } from '../../dev/services/kafkajs.ts';
import { startMongo } from '../../dev/services/mongo.ts';
import { startRedis } from '../../dev/services/redis.ts';
import { type RunningService, ServiceNotOurs } from '../../dev/services/service.ts';
import { describeWithOwnService, describeWithService } from '../../dev/services/shared.ts';

const started: RunningService[] = [];
function remember<Service extends RunningService>(service: Service): Service {
  started.push(service);
  return service;
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.stop()));
});

/** A temporary folder for the services of one test only. */
function ownTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chat-test-services-'));
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie has ended, even if no parent reaps it.
  if (process.platform !== 'linux') return true;
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

await describeWithService(['kafka', 'mongo', 'redis'], 'the shared services', ({ kafka, mongo, redis }) => {
  const client = new MongoClient(mongo);
  afterAll(() => client.close());

  it('provides a MongoDB with transactions', async () => {
    const notes = client.db('services-test').collection('notes');
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await notes.insertOne({ text: 'kept' }, { session });
      }),
    );
    expect(await notes.countDocuments()).toBe(1);
    await client.db('services-test').dropDatabase();
  });

  it('provides a Redis', async () => {
    const connection = new Redis(redis);
    expect(await connection.ping()).toBe('PONG');
    connection.disconnect();
  });

  it('provides a Kafka that creates no topic by itself', async () => {
    const admin = new Kafka({ brokers: [...kafka], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
    await admin.connect();
    await expect(admin.fetchTopicOffsets('never-made')).rejects.toThrow();
    expect(await admin.listTopics()).not.toContain('never-made');
    await admin.disconnect();
  });
});

await describeWithOwnService('redis', 'a Redis of our own', () => {
  it('starts a Redis that keeps acknowledged data when killed, hangs when frozen and leaves nothing when stopped', async () => {
    const folder = ownTemporaryFolder();
    const redis = remember(await startRedis({ own: true }));
    expect(readdirSync(folder)).toHaveLength(redis.source === 'packages' ? 1 : 0);
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
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('gives a reason when a service that an environment variable names does not answer', async () => {
  const port = await freePort();
  vi.stubEnv('TEST_REDIS_URL', `redis://127.0.0.1:${port}`);
  await expect(startRedis()).rejects.toThrow(/^no Redis: the service of TEST_REDIS_URL does not answer: /);
  vi.unstubAllEnvs();
});

it('gives a reason when a service cannot be downloaded, and leaves no files', async () => {
  const folder = ownTemporaryFolder();
  vi.stubEnv('DOCKER_HOST', 'unix:///nowhere.sock');
  vi.stubEnv('CHAT_TEST_CACHE', join(folder, 'cache'));
  vi.stubEnv('PATH', folder);
  await expect(startRedis({ own: true })).rejects.toThrow(
    'no Redis: no Docker engine answers; python3 is not installed',
  );
  expect(readdirSync(folder)).toEqual(['cache']);
  expect(readdirSync(join(folder, 'cache'))).toEqual([]);
});

await describeWithService('redis', 'a Redis of the environment', ({ redis }) => {
  it('does not kill or stop a Redis that an environment variable names', async () => {
    vi.stubEnv('TEST_REDIS_URL', redis);
    const lent = await startRedis();
    vi.unstubAllEnvs();
    expect(lent).toMatchObject({ url: redis, source: 'environment', pid: undefined });
    await expect(lent.kill()).rejects.toBeInstanceOf(ServiceNotOurs);
    await lent.stop();
    const connection = new Redis(redis);
    expect(await connection.ping()).toBe('PONG');
    connection.disconnect();
  });
});

await describeWithOwnService('mongo', 'a MongoDB of our own', () => {
  it('starts a MongoDB that keeps acknowledged data when killed', async () => {
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

await describeWithOwnService('redis', 'a Redis that will not start', () => {
  it('reports a Redis that does not start with the end of its log', async () => {
    const folder = ownTemporaryFolder();
    const doomed = startRedis({ own: true, args: ['--no-such-setting', 'x'] });
    await expect(doomed).rejects.toThrow(/no Redis: .*ended \(exit code 1\); its log ends:[\s\S]*no-such-setting/);
    expect(readdirSync(folder)).toEqual([]);
  });
});

await describeWithOwnService('redis', 'a test process that dies', () => {
  it('ends the services of a test process that is killed with SIGKILL', async () => {
    const module = new URL('../../dev/services/redis.ts', import.meta.url);
    const script = `import { startRedis } from '${module}';
      console.log((await startRedis({ own: true })).pid);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const [printed] = await once(child.stdout, 'data');
    const pid = Number(printed);
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000 });
  });
});

await describeWithOwnService('kafka', 'a Kafka of our own', () => {
  it('starts a Kafka that keeps topics and records when killed', async () => {
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
