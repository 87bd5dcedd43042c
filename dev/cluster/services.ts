import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { FaultProxy } from '../fault-proxy.ts';
import type { RunningKafka } from '../services/kafka.ts';
import { Kafka, logLevel } from '../services/kafkajs.ts';
import { lent } from '../services/launch.ts';
import type { RunningMongo } from '../services/mongo.ts';
import { type ReplicaSetMember, startMongoReplicaSet } from '../services/mongo-replica-set.ts';
import type { RunningRedis } from '../services/redis.ts';
import { startRedisSentinel } from '../services/redis-stack.ts';
import { isSecured, type Served, serveKafka, serveMongo, serveRedis, type Variables } from '../services/secured.ts';
import type { RunningService } from '../services/service.ts';
import { together } from '../services/together.ts';

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
  /** Variables with which the chat servers use the three. */
  readonly variables: Variables;
  /** Processes of the cluster's own services that a test may harm, one by one. */
  readonly members: readonly StackMember[];
  /** Changes of the primary, without harm to a process. */
  readonly elections: readonly { readonly name: string; readonly elect: () => Promise<void> }[];
  /** In front of the members of Kafka and MongoDB, if there are several and `proxied` is set. */
  readonly networks: readonly { readonly name: string; readonly proxy: FaultProxy }[];
  /** In front of a Redis of one. The chat servers use it if it is there. */
  readonly redisProxy: FaultProxy | null;
  /** Redis of presence, which knows no Sentinels. */
  readonly presenceRedisUrl: string;
  /** Removes the cluster's data from shared services, and ends its own services. */
  readonly stop: () => Promise<void>;
}

/** Sizes of a cluster's own services. */
export interface StackOptions {
  /** Kafka brokers. Default: 1. */
  readonly brokers?: number;
  /** Members of the MongoDB replica set: 1 (default) or 3. */
  readonly mongo?: number;
  /** sentinel: a primary, a replica and three Sentinels. Default: single. */
  readonly redis?: 'single' | 'sentinel';
}

export interface StackMember {
  /** `kafka-1` */
  readonly name: string;
  /** Undefined for a container, and while the process does not run. */
  readonly pid: number | undefined;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  restart(): Promise<void>;
}

/**
 * @param name name of the database
 * @param progress called with a line for each service that started
 * @param proxied true: a proxy is in front of each of several Kafka brokers and MongoDB members
 */
export async function ownServices(
  name: string,
  progress: (line: string) => void,
  { brokers = 1, mongo: mongoMembers = 1, redis: redisKind = 'single' }: StackOptions = {},
  proxied = false,
): Promise<ClusterServices> {
  if (isSecured && (mongoMembers > 1 || redisKind !== 'single')) {
    throw new Error('TEST_SECURED=on needs one MongoDB and one Redis');
  }
  const begun = Date.now();
  const undo: (() => Promise<unknown>)[] = [];
  const members: StackMember[] = [];
  const elections: { name: string; elect: () => Promise<void> }[] = [];
  const networks: { name: string; proxy: FaultProxy }[] = [];
  const addNetworks = (kind: string, proxies: readonly FaultProxy[]) => {
    for (const [i, proxy] of proxies.entries()) networks.push({ name: `${kind}-network-${i + 1}`, proxy });
  };
  const add = (kind: string, one: RunningService, i?: number) =>
    members.push({
      name: i === undefined ? kind : `${kind}-${i + 1}`,
      get pid() {
        return one.pid;
      },
      kill: () => one.kill(),
      freeze: () => one.freeze(),
      thaw: () => one.thaw(),
      restart: () => one.restart(),
    });
  const answers = (service: string, address: string) =>
    progress(`${service} answers on ${address} after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  const stop = async () => {
    await Promise.all(undo.splice(0).map((one) => one()));
  };

  const startBus = async (): Promise<Served<RunningKafka>> => {
    const kafka = await serveKafka({ own: true, brokers, proxied });
    undo.push(kafka.stop);
    for (const [i, broker] of kafka.members.entries()) add('kafka', broker, brokers === 1 ? undefined : i);
    addNetworks('kafka', kafka.proxies);
    return kafka;
  };
  const startStore = async (): Promise<Served<RunningMongo>> => {
    if (mongoMembers === 1) {
      const mongo = await serveMongo({ own: true });
      undo.push(mongo.stop);
      add('mongo', mongo);
      return mongo;
    }
    const set = await startMongoReplicaSet({ proxied });
    undo.push(set.stop);
    addNetworks('mongo', set.proxies);
    const processes = set.members.map((member) => asService(member, set.untilMember));
    for (const [i, process] of processes.entries()) add('mongo', process, i);
    elections.push({
      name: 'mongo-primary',
      elect: async () => {
        const primary = await set.primary();
        await set.command(primary, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5 });
      },
    });
    return Object.assign(together(processes, set.stop), { url: set.url, variables: { MONGODB_URL: set.url } });
  };
  const startCache = async (): Promise<{ redis: Served<RunningRedis>; proxy: FaultProxy | null; presence: string }> => {
    const single = await serveRedis({ own: true });
    undo.push(single.stop);
    add('redis', single);
    if (redisKind === 'single' && isSecured) return { redis: single, proxy: null, presence: single.url };
    if (redisKind === 'single') {
      const proxy = await FaultProxy.start({ target: Number(new URL(single.url).port) });
      undo.push(() => proxy.stop());
      return { redis: single, proxy, presence: single.url };
    }
    const group = await startRedisSentinel();
    undo.push(group.stop);
    for (const [i, one] of group.members.entries()) add('redis-data', one, i);
    elections.push({ name: 'redis-primary', elect: group.failover });
    return {
      redis: Object.assign(together(group.members, group.stop), {
        url: group.url,
        variables: { REDIS_URL: group.url },
      }),
      proxy: null,
      presence: single.url,
    };
  };

  const reported = async <Running extends { readonly stop: () => Promise<void> }>(
    service: string,
    address: (running: Running) => string,
    starting: Promise<Running>,
  ) => {
    const running = await starting;
    answers(service, address(running));
    return running;
  };
  const starting = [
    reported('Kafka', (kafka) => kafka.brokers.join(), startBus()),
    reported('MongoDB', (mongo) => mongo.url, startStore()),
    startCache().then((cache) => {
      answers('Redis', cache.redis.url);
      return cache;
    }),
  ] as const;
  const failed = (await Promise.allSettled(starting)).find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const [kafka, mongo, { redis, proxy, presence }] = await Promise.all(starting);
  return {
    kafka,
    mongo: Object.assign(mongo, { url: withDatabase(mongo.url, name) }),
    redis,
    variables: {
      ...kafka.variables,
      MONGODB_URL: withDatabase(mongo.url, name),
      ...redis.variables,
      ...(proxy === null ? {} : { REDIS_URL: `redis://127.0.0.1:${proxy.port}` }),
    },
    members,
    elections,
    networks,
    redisProxy: proxy,
    presenceRedisUrl: presence,
    stop,
  };
}

function asService(member: ReplicaSetMember, untilMember: (member: ReplicaSetMember) => Promise<void>): RunningService {
  return {
    source: 'packages',
    get pid() {
      return member.pid;
    },
    stop: () => member.kill(),
    kill: () => member.kill(),
    freeze: () => member.freeze(),
    thaw: () => member.thaw(),
    restart: async () => {
      await member.kill();
      await member.start();
      await untilMember(member);
    },
    logTail: async () => '',
  };
}

/**
 * Uses services of the test run: a new MongoDB database and an emptied Redis database. The caller
 * names the topics.
 */
export async function sharedServices(name: string, topics: readonly string[]): Promise<ClusterServices> {
  // Loaded here, because it only works inside a test run.
  const { shared, sharedVariables } = await import('../services/shared.ts');
  const [brokers, mongoUrl, redisUrl] = await Promise.all([shared('kafka'), shared('mongo'), shared('redis')]);
  const kafkaVariables = await sharedVariables('kafka');
  const { REDIS_URL, ...redisVariables } = await sharedVariables('redis');
  const of = (service: string) => lent(service, '', async () => {});
  const url = withDatabase(mongoUrl, name);
  const database = await emptyDatabase(redisUrl);
  const services = {
    kafka: Object.assign(await of('Kafka'), { brokers }),
    mongo: Object.assign(await of('MongoDB'), { url }),
    redis: Object.assign(await of('Redis'), { url: withRedisDatabase(redisUrl, database) }),
  };
  const variables = {
    ...kafkaVariables,
    MONGODB_URL: url,
    ...redisVariables,
    REDIS_URL: withRedisDatabase(REDIS_URL ?? redisUrl, database),
  };
  const stop = async () => {
    await Promise.allSettled([dropDatabase(url), deleteTopics(brokers, topics)]);
  };
  const { redis } = services;
  const none = { members: [], elections: [], networks: [], redisProxy: null };
  return { ...services, ...none, variables, presenceRedisUrl: redis.url, stop };
}

function withRedisDatabase(url: string, database: number): string {
  return `${url.replace(/\/\d*$/, '')}/${database}`;
}

/** The URL with another database in it. */
export function withDatabase(url: string, name: string): string {
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
async function emptyDatabase(url: string): Promise<number> {
  const counter = new Redis(url);
  counter.on('error', () => {});
  try {
    const turn = await counter.incr('chat-test:clusters');
    const database = 1 + (turn % (REDIS_DATABASES - 1));
    await counter.select(database);
    await counter.flushdb();
    return database;
  } finally {
    counter.disconnect();
  }
}
