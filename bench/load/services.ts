import { randomBytes } from 'node:crypto';
import { startKafka } from '../../dev/services/kafka.ts';
import { startMongo } from '../../dev/services/mongo.ts';
import { RECORD_STREAMS } from '../../src/adapters/records/record-stream.ts';

/** Real services for a bench, and the variables of a server that uses them. */
export interface Services {
  readonly brokers: readonly string[];
  readonly mongoUrl: string;
  /** Process ids. Empty if the service is a container or comes from the environment. */
  readonly kafkaPids: readonly number[];
  readonly mongoPids: readonly number[];
  /** Returns variables of a server with new topics, groups and a new database. */
  fresh(): Record<string, string>;
  stop(): Promise<void>;
}

export async function startServices(cacheGb = 0.25): Promise<Services> {
  const [kafka, mongo] = await Promise.all([startKafka(), startMongo({ cacheGb })]);
  return {
    brokers: kafka.brokers,
    mongoUrl: mongo.url,
    kafkaPids: kafka.pid === undefined ? [] : [kafka.pid],
    mongoPids: mongo.pid === undefined ? [] : [mongo.pid],
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
  const named = new URL(url);
  named.pathname = `/${name}`;
  return named.href;
}
