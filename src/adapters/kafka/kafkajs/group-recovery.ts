import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

/** The parts of kafkajs' own consumer group that are used here. */
interface ConsumerGroup {
  readonly groupId: string;
  readonly cluster: {
    refreshMetadata(): Promise<void>;
    findGroupCoordinator(group: { readonly groupId: string }): Promise<unknown>;
  };
  coordinator: unknown;
  readonly offsetManager: { coordinator: unknown } | null;
  /** Time that a fetch waits for the first record, in milliseconds. */
  maxWaitTime: number;
}

type Heartbeat = (this: ConsumerGroup, options: unknown) => Promise<void>;
type Recover = (this: ConsumerGroup, error: unknown) => Promise<void>;

/** Time before a broker that cannot be reached, or that leads no more, is asked again. */
const PAUSE_MS = 100;
/** How long fetches are short after a leader was lost. */
const SHORT_MS = 3_000;

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
]);
const MOVED_LEADER: ReadonlySet<unknown> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
]);
const MOVED_COORDINATOR: ReadonlySet<unknown> = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/**
 * Replaces two methods of the consumer groups of kafkajs 2.2.4, for the time after a broker's
 * death.
 *
 * - The original stops the fetches from all brokers when one broker cannot be reached, discards
 *   their records and pauses. The replacement lets only the fetch of that broker wait. After a
 *   leader moved, it reads the metadata again and does not join the group again.
 * - The original sends its heartbeats to the dead coordinator until the group is joined again, and
 *   each of them stops all fetches. The replacement looks for the new coordinator meanwhile.
 *
 * If another version of kafkajs has no such methods, nothing is replaced.
 */
export function recoverGroups(): void {
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup');
  } catch {
    return;
  }
  if (typeof loaded !== 'function') return;
  const prototype: { heartbeat?: Heartbeat; recoverFromFetch?: Recover } = loaded.prototype;
  const { heartbeat, recoverFromFetch } = prototype;
  if (typeof heartbeat !== 'function' || typeof recoverFromFetch !== 'function') return;

  prototype.recoverFromFetch = async function recover(error) {
    if (!isOneOf(error, UNREACHABLE, MOVED_LEADER)) return recoverFromFetch.call(this, error);
    shortenFetches(this);
    // It fails while no broker can be reached. The next fetch tries again.
    await this.cluster.refreshMetadata().catch(() => {});
    await delay(PAUSE_MS);
  };

  const looking = new WeakSet<ConsumerGroup>();
  prototype.heartbeat = async function beat(options) {
    if (looking.has(this)) return;
    try {
      await heartbeat.call(this, options);
    } catch (error) {
      if (!isOneOf(error, UNREACHABLE, MOVED_COORDINATOR)) throw error;
      looking.add(this);
      void findCoordinator(this).finally(() => looking.delete(this));
    }
  };
}

const shortened = new WeakMap<ConsumerGroup, NodeJS.Timeout>();

/**
 * Fetches from the partitions that moved begin when the present fetches from all brokers have
 * ended.
 */
function shortenFetches(group: ConsumerGroup): void {
  const timer = shortened.get(group);
  if (timer !== undefined) {
    timer.refresh();
    return;
  }
  const { maxWaitTime } = group;
  group.maxWaitTime = Math.min(maxWaitTime, PAUSE_MS);
  const end = () => {
    group.maxWaitTime = maxWaitTime;
    shortened.delete(group);
  };
  shortened.set(group, setTimeout(end, SHORT_MS).unref());
}

/** Waits until the group has another coordinator, or about as long as kafkajs repeats a request. */
async function findCoordinator(group: ConsumerGroup): Promise<void> {
  const { groupId, cluster, offsetManager } = group;
  await delay(PAUSE_MS);
  try {
    group.coordinator = await cluster.findGroupCoordinator({ groupId });
    if (offsetManager !== null) offsetManager.coordinator = group.coordinator;
  } catch {
    // The next heartbeat fails and looks again.
  }
}

function isOneOf(error: unknown, names: ReadonlySet<unknown>, types: ReadonlySet<unknown>): boolean {
  if (!(error instanceof Error)) return false;
  return names.has(error.name) || ('type' in error && types.has(error.type));
}
