import type { EncodedRecord } from '../records/record-codec.ts';
import type { Leaders } from './driver.ts';
import { partitionOf } from './partition-of.ts';

/** A `send` call. It resolves with its last record and rejects with the first one that fails. */
export interface Call {
  /** Records that are not acknowledged yet. */
  unacknowledged: number;
  /** When the call is given up, in milliseconds on the monotonic clock. */
  readonly until: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface QueuedRecord {
  readonly record: EncodedRecord;
  readonly call: Call;
}

/** The records that wait for one partition, in the order of their calls. */
export interface PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** Id of the broker that leads the partition, or NO_LEADER. */
  leader: number;
  records: QueuedRecord[];
  /** A request with the first records is under way. No other request may have later ones. */
  isBusy: boolean;
}

/**
 * The queues of all partitions of the topics. A key always leads to the same partition, so its
 * records keep their order.
 */
export class PartitionQueues {
  readonly #byTopic = new Map<string, PartitionQueue[]>();
  #all: readonly PartitionQueue[] = [];

  get all(): readonly PartitionQueue[] {
    return this.#all;
  }

  learn(leaders: Leaders): void {
    for (const [topic, found] of leaders) {
      if (found.length === 0) continue;
      const queues = this.#byTopic.get(topic) ?? [];
      this.#byTopic.set(topic, queues);
      for (const [partition, leader] of found.entries()) {
        const queue = queues[partition];
        if (queue !== undefined) queue.leader = leader;
        else queues.push({ topic, partition, leader, records: [], isBusy: false });
      }
    }
    this.#all = [...this.#byTopic.values()].flat();
  }

  /** Adds a record to the queue of its partition. Returns that queue. */
  add(topic: string, queued: QueuedRecord): PartitionQueue {
    const queues = this.#byTopic.get(topic) ?? [];
    const queue = queues[partitionOf(queued.record.key, queues.length)];
    if (queue === undefined) throw new Error(`the partitions of ${topic} are not known`);
    queue.records.push(queued);
    return queue;
  }
}
