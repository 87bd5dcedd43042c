import { randomBytes } from 'node:crypto';
import { startKafka } from '../../dev/services/kafka.ts';
import { startKafkaCluster } from '../../dev/services/kafka-cluster.ts';
import { startMongo } from '../../dev/services/mongo.ts';
import { startMongoReplicaSet } from '../../dev/services/mongo-replica-set.ts';
import { RECORD_STREAMS } from '../../src/adapters/records/record-stream.ts';

/** Real services for a bench, and the variables of a server that uses them. */
export interface Services {
  readonly brokers: readonly string[];
  readonly mongoUrl: string;
  /** Process ids. Empty if the service is a container, a replica set, or from the environment. */
  readonly kafkaPids: readonly number[];
  readonly mongoPids: readonly number[];
  /** Returns variables of a server with new topics, groups and a new database. */
  fresh(): Record<string, string>;
  stop(): Promise<void>;
}

export async function startServices(cacheGb = 0.25): Promise<Services> {
  const [kafka, mongo] = await Promise.all([startKafka(), startMongo({ cacheGb })]);
  return servicesOf(kafka, mongo, pidsOf(kafka), pidsOf(mongo));
}

/** Starts three brokers, whose topics have three replicas, and a replica set of three. */
export async function startClusters(): Promise<Services> {
  const [kafka, mongo] = await Promise.all([startKafkaCluster(), startMongoReplicaSet()]);
  return servicesOf(kafka, mongo, kafka.members.flatMap(pidsOf), []);
}

function pidsOf({ pid }: { readonly pid?: number | undefined }): number[] {
  return pid === undefined ? [] : [pid];
}

function servicesOf(
  kafka: { readonly brokers: readonly string[]; stop(): Promise<void> },
  mongo: { readonly url: string; stop(): Promise<void> },
  kafkaPids: readonly number[],
  mongoPids: readonly number[],
): Services {
  return {
    brokers: kafka.brokers,
    mongoUrl: mongo.url,
    kafkaPids,
    mongoPids,
    fresh: () => {
      const name = `bench-${randomBytes(4).toString('hex')}`;
      const env: Record<string, string> = {
        KAFKA_BROKERS: kafka.brokers.join(),
        MONGODB_URL: database(mongo.url, name),
      };
      for (const kind of RECORD_STREAMS) {
        env[`KAFKA_TOPIC_${kind}`] = `${name}-${kind.toLowerCase()}`;
        env[`KAFKA_GROUP_${kind}`] = `${name}-${kind.toLowerCase()}`;
      }
      return env;
    },
    stop: async () => {
      await Promise.all([kafka.stop(), mongo.stop()]);
    },
  };
}

function database(url: string, name: string): string {
  // `URL` takes one host only.
  return url.replace(/^(mongodb:\/\/[^/?]+)\/?[^?]*/, `$1/${name}`);
}
