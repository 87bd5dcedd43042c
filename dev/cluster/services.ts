import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { type RunningKafka, startKafka } from '../services/kafka.ts';
import { lent } from '../services/launch.ts';
import { type RunningMongo, startMongo } from '../services/mongo.ts';
import { type RunningRedis, startRedis } from '../services/redis.ts';

const REDIS_DATABASES = 16;

/**
 * Kafka, MongoDB and Redis of one cluster. Services of the test run cannot be killed; the cluster's
 * own can.
 */
export interface ClusterServices {
  readonly kafka: RunningKafka;
  /** `url` names the cluster's own database. */
  readonly mongo: RunningMongo;
  /** `url` names a database that was emptied. */
  readonly redis: RunningRedis;
  /** Removes the cluster's data from shared services, and ends its own services. */
  readonly stop: () => Promise<void>;
}

/**
 * @param name name of the database
 * @param progress called with a line for each service that started
 */
export async function ownServices(name: string, progress: (line: string) => void): Promise<ClusterServices> {
  const begun = Date.now();
  const reported = <Running>(service: string, address: (running: Running) => string, starting: Promise<Running>) =>
    starting.then((running) => {
      progress(`${service} answers on ${address(running)} after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
      return running;
    });
  const starting = [
    reported('Kafka', ({ brokers }) => brokers.join(), startKafka({ own: true })),
    reported('MongoDB', ({ url }) => url, startMongo({ own: true })),
    reported('Redis', ({ url }) => url, startRedis({ own: true })),
  ] as const;
  const settled = await Promise.allSettled(starting);
  const stop = async () => {
    await Promise.all(settled.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)));
  };
  for (const one of settled) {
    if (one.status === 'fulfilled') continue;
    await stop();
    throw one.reason;
  }
  const [kafka, mongo, redis] = await Promise.all(starting);
  return { kafka, mongo: Object.assign(mongo, { url: withDatabase(mongo.url, name) }), redis, stop };
}

/**
 * Uses services of the test run: a new MongoDB database and an emptied Redis database. The caller
 * names the topics.
 */
export async function sharedServices(name: string, topics: readonly string[]): Promise<ClusterServices> {
  // Loaded here, because it only works inside a test run.
  const { shared } = await import('../services/shared.ts');
  const [brokers, mongoUrl, redisUrl] = await Promise.all([shared('kafka'), shared('mongo'), shared('redis')]);
  const of = (service: string) => lent(service, '', async () => {});
  const url = withDatabase(mongoUrl, name);
  const services = {
    kafka: Object.assign(await of('Kafka'), { brokers }),
    mongo: Object.assign(await of('MongoDB'), { url }),
    redis: Object.assign(await of('Redis'), { url: await emptyDatabase(redisUrl) }),
  };
  const stop = async () => {
    await Promise.allSettled([dropDatabase(url), deleteTopics(brokers, topics)]);
  };
  return { ...services, stop };
}

function withDatabase(url: string, name: string): string {
  return url.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${name}`);
}

async function dropDatabase(url: string): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000 });
  try {
    await client.db().dropDatabase();
  } finally {
    await client.close();
  }
}

async function deleteTopics(brokers: readonly string[], topics: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 1 } });
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteTopics({ topics: [...topics], timeout: 5_000 });
  } finally {
    await admin.disconnect();
  }
}

/** Keys of member lists have no prefix, so each cluster takes the next Redis database from 1 up. */
async function emptyDatabase(url: string): Promise<string> {
  const counter = new Redis(url);
  counter.on('error', () => {});
  try {
    const turn = await counter.incr('chat-test:clusters');
    const database = 1 + (turn % (REDIS_DATABASES - 1));
    await counter.select(database);
    await counter.flushdb();
    return `${url.replace(/\/\d*$/, '')}/${database}`;
  } finally {
    counter.disconnect();
  }
}
