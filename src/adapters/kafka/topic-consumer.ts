import type { RecordHandler } from '../../application/ports/message-bus.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { RecordSource } from '../records/received-record.ts';
import type { ConsumedMessage, ConsumerTiming, FetchedBatch, KafkaConsumer, KafkaDriver, Positions } from './driver.ts';
import { MissingRightError } from './missing-right.ts';
import { ReadPositions, StallWatch } from './positions.ts';
import { takeBatch } from './take-batch.ts';

export interface TopicConsumerOptions {
  readonly driver: KafkaDriver;
  readonly telemetry: Telemetry;
  readonly topic: string;
  readonly group: string;
  readonly from: Positions;
  readonly source: RecordSource<ConsumedMessage>;
  readonly handler: RecordHandler;
  readonly timing: ConsumerTiming;
}

/** One consumer, from its start to its first failure. */
interface RunningConsumer {
  readonly consumer: KafkaConsumer;
  readonly isOver: () => boolean;
  readonly end: (error: Error) => void;
  readonly ended: Promise<Error>;
}

const LEAVE_MS = 2_000;
const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/**
 * Reads one topic from the given positions, as the only member of its group, until it is closed. A
 * consumer that crashes, stops its heartbeat or loses its group is replaced. The new one continues
 * at the same position.
 */
export class TopicConsumer {
  readonly #options: TopicConsumerOptions;
  readonly #positions: ReadPositions;
  readonly #stalls = new StallWatch();
  #running: RunningConsumer | null = null;
  #joined = false;
  /** True after a commit showed that the user may read the topic with the group. */
  #isProven = false;
  #start: { readonly joined: () => void; readonly refused: (error: Error) => void } = {
    joined: () => {},
    refused: () => {},
  };
  #problem: string | null = 'has not joined its group yet';
  #lastHeartbeat = 0;
  #restarts = 0;
  #pause = MIN_PAUSE_MS;
  #committing = false;
  #closed = false;
  #main: Promise<void> | null = null;
  #wake: () => void = () => {};
  #tick: NodeJS.Timeout | undefined;

  constructor(options: TopicConsumerOptions) {
    this.#options = options;
    this.#positions = new ReadPositions(options.from);
  }

  get topic(): string {
    return this.#options.topic;
  }

  /** A human-readable description of the present problem; null while records are read. */
  get problem(): string | null {
    const silent = performance.now() - this.#lastHeartbeat;
    if (this.#problem === null && silent > this.#options.timing.session) {
      return `no heartbeat for ${Math.round(silent / 1000)} s`;
    }
    return this.#problem;
  }

  /** Records that are known to be in the topic and were not read yet. */
  get lag(): number {
    return this.#positions.lag;
  }

  /** Seconds since the last heartbeat, or since the present consumer was opened. */
  get heartbeatAge(): number {
    return (performance.now() - this.#lastHeartbeat) / 1_000;
  }

  /** Number of consumers that were replaced since the start. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Resolves when the consumer has joined its group for the first time. It misses no record that is
   * written afterwards.
   * @throws MissingRightError if the user may not read the topic, or not with the group
   */
  start(): Promise<void> {
    const { commit } = this.#options.timing;
    this.#tick = setInterval(() => this.#check(), commit).unref();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#start = { joined: resolve, refused: reject };
    this.#main = this.#run();
    return promise;
  }

  /**
   * Replaces a consumer that does not read although there are records. `newest` are the present
   * ends of the partitions.
   */
  checkLag(newest: Positions): void {
    for (const [partition, end] of newest) this.#positions.ends(partition, end);
    if (this.#joined && this.#stalls.isStalled(this.#positions, newest))
      this.restart('reads nothing although there are records');
  }

  /** Replaces the present consumer by a new one. */
  restart(reason: string): void {
    if (this.#closed) return;
    this.#problem = `restarting: ${reason}`;
    this.#running?.end(new Error(reason));
  }

  /** Leaves the group. No record is handed on after the call. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#tick);
    this.#running?.end(new Error('closed'));
    this.#wake();
    await this.#main;
  }

  async #run(): Promise<void> {
    const { telemetry, topic } = this.#options;
    while (!this.#closed) {
      const error = this.#described(await this.#runOnce());
      this.#joined = false;
      if (this.#closed) break;
      if (error instanceof MissingRightError) this.#start.refused(error);
      this.#problem = `restarting: ${error.message}`;
      this.#restarts += 1;
      telemetry.log('warn', 'kafka consumer is replaced', { topic, error: error.message, delayMs: this.#pause });
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, this.#pause);
      });
      this.#pause = Math.min(this.#pause * 2, MAX_PAUSE_MS);
    }
    this.#problem = 'closed';
  }

  async #runOnce(): Promise<Error> {
    this.#lastHeartbeat = performance.now();
    const running = this.#begin();
    this.#running = running;
    const error = await running.ended;
    // A member that leaves lets the next one join at once. Otherwise the broker waits for its
    // session timeout.
    await running.consumer.leave(LEAVE_MS);
    return error;
  }

  #described(error: Error): Error {
    const { driver, topic, group } = this.#options;
    const problem = driver.classify(error);
    if (problem.kind !== 'unauthorized') return error;
    const { resource } = problem;
    return new MissingRightError({ operation: 'Read', resource, name: resource === 'group' ? group : topic }, error);
  }

  #begin(): RunningConsumer {
    const { driver, topic, group, timing } = this.#options;
    const { promise: ended, resolve } = Promise.withResolvers<Error>();
    let over = false;
    const end = (error: Error) => {
      over = true;
      resolve(error);
    };
    const consumer = driver.openConsumer({
      topic,
      group,
      timing,
      position: (partition) => this.#positions.of(partition),
      onBatch: (batch) => {
        if (!over) this.#take(batch);
      },
      onHeartbeat: () => {
        if (!over) this.#lastHeartbeat = performance.now();
      },
      onJoined: (assigned) => {
        if (!over) void this.#onJoined(running, assigned);
      },
      onEnd: end,
    });
    const running = { consumer, ended, end, isOver: () => over };
    return running;
  }

  async #onJoined(running: RunningConsumer, assigned: readonly number[]): Promise<void> {
    const { topic, group, telemetry } = this.#options;
    this.#lastHeartbeat = performance.now();
    const complete = this.#positions.entries().every(([partition]) => assigned.includes(partition));
    this.#problem = complete ? null : `another server uses the same server id, so the group ${group} is shared`;
    if (!complete)
      telemetry.log('error', 'another server uses the same server id; each server needs its own SERVER_ID', {
        topic,
        group,
      });
    this.#joined = true;
    if (!this.#isProven && !(await this.#proveRights(running))) return;
    this.#isProven = true;
    this.#pause = MIN_PAUSE_MS;
    this.#start.joined();
  }

  /** Stores the first positions. False if a right is missing, which ends the consumer. */
  async #proveRights({ consumer, end }: RunningConsumer): Promise<boolean> {
    try {
      await consumer.commit(this.#positions.entries());
    } catch (error) {
      if (this.#options.driver.classify(error).kind !== 'unauthorized') return true;
      end(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
    return true;
  }

  #take(batch: FetchedBatch): void {
    const { handler, source, telemetry } = this.#options;
    takeBatch(batch, this.#positions, source, handler, (error) => {
      telemetry.log('error', 'record handler threw', { topic: this.topic, error });
    });
  }

  #check(): void {
    const running = this.#running;
    if (running === null || running.isOver()) return;
    const silent = performance.now() - this.#lastHeartbeat;
    if (silent > this.#options.timing.silence)
      running.end(new Error(`no heartbeat for ${Math.round(silent / 1000)} s`));
    else void this.#commit(running);
  }

  /**
   * Stores the position in the group, so that operators can see the lag. This server never reads
   * it.
   */
  async #commit({ consumer }: RunningConsumer): Promise<void> {
    if (!this.#joined || this.#committing) return;
    const moved = this.#positions.takeChanged();
    if (moved.length === 0) return;
    this.#committing = true;
    try {
      await consumer.commit(moved);
    } catch {
      // The next commit repeats it.
    } finally {
      this.#committing = false;
    }
  }
}
