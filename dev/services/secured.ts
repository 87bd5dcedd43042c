import { randomBytes } from 'node:crypto';
import type { FaultProxy } from '../fault-proxy.ts';
import { type RunningKafka, startKafka } from './kafka.ts';
import { startKafkaCluster } from './kafka-cluster.ts';
import { type RunningMongo, startMongo } from './mongo.ts';
import { startSecuredMongo } from './mongo-secured.ts';
import { type RunningRedis, startRedis } from './redis.ts';
import { startSecureRedis } from './redis-stack.ts';
import type { CommonOptions } from './service.ts';
import { together } from './together.ts';

/** Variables with which a chat server uses a service. */
export type Variables = Readonly<Record<string, string>>;

/**
 * A service of a test run. Its address is for the tests. The variables are for chat servers, and
 * may lead to another, secured port.
 */
export type Served<Running> = Running & { readonly variables: Variables };

/**
 * Whether chat servers of tests use Kafka with SASL_SSL, MongoDB with TLS and a login, Redis with
 * TLS and a password, and presence over TLS. `TEST_SECURED=on` turns it on.
 */
export const isSecured = process.env.TEST_SECURED === 'on';

export interface ServedKafka extends Served<RunningKafka> {
  readonly members: readonly RunningKafka[];
  /** In front of several brokers if `proxied` is set, otherwise none. */
  readonly proxies: readonly FaultProxy[];
}

/** @throws ServiceUnavailable */
export async function serveKafka(
  options: CommonOptions & { readonly brokers?: number; readonly proxied?: boolean } = {},
): Promise<ServedKafka> {
  const { brokers = 1, proxied = false } = options;
  if (!isSecured && brokers === 1) {
    const kafka = await startKafka(options);
    return Object.assign(kafka, { members: [kafka], proxies: [], variables: { KAFKA_BROKERS: kafka.brokers.join() } });
  }
  const cluster = await startKafkaCluster({ brokers, proxied, security: isSecured ? 'sasl-ssl' : 'plaintext' });
  const secured = {
    KAFKA_TLS: 'on',
    KAFKA_TLS_CA: cluster.certificates?.ca.cert ?? '',
    KAFKA_SASL: 'scram-sha-512',
    KAFKA_SASL_USER: cluster.user.username,
    KAFKA_SASL_PASSWORD: cluster.user.password,
  };
  const addresses = isSecured ? cluster.internalBrokers : cluster.brokers;
  return Object.assign(together(cluster.members, cluster.stop), {
    brokers: addresses,
    proxies: cluster.proxies,
    members: cluster.members.map((member, i) => Object.assign(member, { brokers: addresses.slice(i, i + 1) })),
    variables: { KAFKA_BROKERS: cluster.brokers.join(), ...(isSecured ? secured : {}) },
  });
}

/** @throws ServiceUnavailable */
export async function serveMongo(options: CommonOptions = {}): Promise<Served<RunningMongo>> {
  const mongo = await (isSecured ? startSecuredMongo() : startMongo(options));
  return Object.assign(mongo, { variables: { MONGODB_URL: mongo.url } });
}

/** @throws ServiceUnavailable */
export async function serveRedis(options: CommonOptions = {}): Promise<Served<RunningRedis>> {
  if (!isSecured) {
    const redis = await startRedis(options);
    return Object.assign(redis, { variables: { REDIS_URL: redis.url } });
  }
  const redis = await startSecureRedis({ password: randomBytes(12).toString('hex') });
  return {
    ...together([redis], redis.stop),
    url: redis.plainUrl,
    variables: { REDIS_URL: redis.url, REDIS_TLS_CA: redis.certificates.ca.cert },
  };
}
