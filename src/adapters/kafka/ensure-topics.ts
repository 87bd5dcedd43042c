import { type KafkaAdmin, type KafkaDriver, type Leaders, NO_LEADER, NotReadyError } from './driver.ts';
import { MissingRightError, withRight } from './missing-right.ts';

export interface WantedTopics {
  readonly topics: readonly string[];
  readonly partitions: number;
  /** The number of brokers that the operator listed. */
  readonly listedBrokers: number;
  readonly classify: KafkaDriver['classify'];
  /** Called with a topic that has a partition without a leader, each time it is asked for. */
  readonly onWait?: (topic: string) => void;
}

const MAX_REPLICAS = 3;
const LEADER_MS = 10_000;
const LEADER_PAUSE_MS = 100;

/**
 * Creates the topics that are missing, and resolves with the leaders when each partition has one.
 * Several servers may do so at the same time.
 * @throws NotReadyError if a partition has no leader after 10 s
 * @throws MissingRightError
 */
export async function ensureTopics(admin: KafkaAdmin, wanted: WantedTopics): Promise<Leaders> {
  const existing = new Set(await admin.listTopics());
  const missing = wanted.topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0) await create(admin, missing, wanted);
  return awaitLeaders(admin, wanted);
}

/**
 * A broker that is down is not counted, but Kafka can plan a replica on it. With a replica too few,
 * the topic would stop at the next broker's death. If the operator listed one broker by several
 * names, only the counted ones exist.
 */
async function create(admin: KafkaAdmin, topics: readonly string[], wanted: WantedTopics): Promise<void> {
  const { partitions, listedBrokers, classify } = wanted;
  const brokers = await admin.countBrokers();
  const replicas = Math.min(MAX_REPLICAS, Math.max(brokers, listedBrokers));
  // A topic that the user may not see seems to be missing.
  const right = { operation: 'Create (or Describe, if it exists)', resource: 'topic', names: topics } as const;
  await withRight(classify, right, async (names) => {
    if (await admin.createTopics(names, { partitions, replicas })) return;
    await admin.createTopics(names, { partitions, replicas: Math.min(MAX_REPLICAS, brokers) });
  });
}

/** The brokers learn of a new topic one after the other, and then elect its leaders. */
async function awaitLeaders(admin: KafkaAdmin, { topics, classify, onWait }: WantedTopics): Promise<Leaders> {
  const right = { operation: 'Describe', resource: 'topic', names: topics } as const;
  const until = performance.now() + LEADER_MS;
  for (;;) {
    const leaders: Leaders = await withRight(classify, right, (names) => admin.leaders(names)).catch(
      (error: unknown) => {
        if (error instanceof MissingRightError) throw error;
        return new Map();
      },
    );
    const missing = topics.find((topic) => (leaders.get(topic) ?? [NO_LEADER]).includes(NO_LEADER));
    if (missing === undefined) return leaders;
    if (performance.now() > until) throw new NotReadyError(`${missing} has a partition without a leader`);
    onWait?.(missing);
    await new Promise((resolve) => setTimeout(resolve, LEADER_PAUSE_MS));
  }
}
