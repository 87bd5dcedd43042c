import { describedFailure } from './described-failure.ts';
import type { ClientOptions } from './driver.ts';
import type { OpenDriver } from './load-driver.ts';

const ANSWER_MS = 10_000;

export interface KafkaFacts {
  readonly brokers: number;
  /** Those of the wanted topics that do not exist yet. The start creates them. */
  readonly missingTopics: readonly string[];
  /** Those of the wanted topics that have several partitions. */
  readonly dividedTopics: readonly string[];
}

/**
 * Asks the brokers about themselves and these topics. Changes nothing.
 * @throws Error with a human-readable message
 */
export async function inspectKafka(
  options: ClientOptions & { readonly openDriver: OpenDriver },
  topics: readonly string[],
): Promise<KafkaFacts> {
  const driver = options.openDriver(options);
  try {
    return await driver.withAdmin(ANSWER_MS, 'asking the brokers', async (admin) => {
      const existing = new Set(await admin.listTopics());
      const leaders = await admin.leaders(topics.filter((topic) => existing.has(topic)));
      return {
        brokers: await admin.countBrokers(),
        missingTopics: topics.filter((topic) => !existing.has(topic)),
        dividedTopics: topics.filter((topic) => (leaders.get(topic)?.length ?? 0) > 1),
      };
    });
  } catch (error) {
    throw describedFailure(driver, options.brokers, error);
  }
}
