import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { EncodedRecord } from '../records/record-codec.ts';
import { withTimeout } from '../support/with-timeout.ts';
import type { KafkaDriver, KafkaProducer, OutgoingMessage } from './driver.ts';
import type { NamePerStream } from './topics.ts';

/** A `send` call. It resolves with its last record and rejects with the first one that fails. */
interface Call {
  /** Records that are not acknowledged yet. */
  unacknowledged: number;
  /** When the call is given up, in milliseconds on the monotonic clock. */
  readonly until: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface QueuedRecord {
  readonly record: EncodedRecord;
  readonly call: Call;
}

export interface RecordSenderParts {
  readonly driver: KafkaDriver;
  readonly topics: NamePerStream;
  readonly telemetry: Telemetry;
}

const MAX_QUEUED_RECORDS = 50_000;
/** Bytes of a request. A broker accepts about one megabyte by default. */
const MAX_REQUEST_BYTES = 512 * 1024;
const MIN_REQUEST_BYTES = 1_024;
/** Estimated size of a record's key and headers. */
const HEADER_BYTES = 200;
/**
 * A call that is older is given up at the next failure. With one more attempt it settles within 10
 * s.
 */
const GIVE_UP_MS = 6_000;
const ATTEMPT_MS = 4_000;
/** How long a failure makes the sender unhealthy. */
const FAILURE_REPORT_MS = 10_000;
const MIN_RETRY_PAUSE_MS = 100;
const MAX_RETRY_PAUSE_MS = 1_000;

/**
 * Writes records and waits for the acknowledgement of all in-sync replicas. It sends one request at
 * a time, so that a repeated request keeps the order. Records that arrive meanwhile go into the
 * next request together. After a failure it opens a new client with new connections.
 */
export class RecordSender {
  readonly #driver: KafkaDriver;
  readonly #topics: NamePerStream;
  readonly #telemetry: Telemetry;
  #queue: QueuedRecord[] = [];
  #producer: KafkaProducer | null = null;
  #pumping = false;
  #closed = false;
  #idle: (() => void)[] = [];
  #maxBytes = MAX_REQUEST_BYTES;
  #failure: { readonly error: string; readonly at: number } | null = null;

  constructor({ driver, topics, telemetry }: RecordSenderParts) {
    this.#driver = driver;
    this.#topics = topics;
    this.#telemetry = telemetry;
  }

  /** The error of the last request if it failed less than 10 s ago, otherwise null. */
  get failure(): string | null {
    // Otherwise a server that sends nothing more would stay unhealthy forever.
    return this.#failure !== null && performance.now() - this.#failure.at < FAILURE_REPORT_MS
      ? this.#failure.error
      : null;
  }

  /** Connects before the first record is sent. If it fails, the first record tries again. */
  async connect(): Promise<void> {
    const producer = this.#open();
    await producer.connect().catch(() => this.#drop(producer));
  }

  send(records: readonly EncodedRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the message bus is closed'));
    if (records.length === 0) return Promise.resolve();
    if (this.#queue.length + records.length > MAX_QUEUED_RECORDS) {
      return Promise.reject(new Error(`more than ${MAX_QUEUED_RECORDS} records wait for Kafka`));
    }
    return new Promise((resolve, reject) => {
      const call: Call = { unacknowledged: records.length, until: performance.now() + GIVE_UP_MS, resolve, reject };
      for (const record of records) this.#queue.push({ record, call });
      if (!this.#pumping) void this.#pump();
    });
  }

  /** Accepts no more records. Those in the queue are sent or rejected within `ms`. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    if (this.#pumping) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      await withTimeout(ms, idle, () => new Error('timeout')).catch(() => {});
    }
    const rest = this.#queue;
    this.#queue = [];
    for (const { call } of rest)
      call.reject(new Error('the message bus was closed before Kafka acknowledged the record'));
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    // Calls of the same turn of the event loop go into one request.
    await Promise.resolve();
    let pause = MIN_RETRY_PAUSE_MS;
    for (;;) {
      // After a pause of the process, other servers may have published what waits here.
      const now = performance.now();
      this.#giveUp((call) => call.until <= now, new Error('the records waited too long'));
      if (this.#queue.length === 0) break;
      const batch = this.#nextBatch();
      try {
        await withTimeout(
          ATTEMPT_MS,
          this.#open().send(this.#messages(batch)),
          () => new Error(`no answer within ${ATTEMPT_MS} ms`),
        );
        this.#settle(batch);
        this.#failure = null;
        this.#maxBytes = Math.min(MAX_REQUEST_BYTES, this.#maxBytes * 2);
        pause = MIN_RETRY_PAUSE_MS;
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        if (this.#driver.classify(failure).kind === 'too-large') {
          this.#refused(batch, failure);
          continue;
        }
        this.#failed(failure);
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, MAX_RETRY_PAUSE_MS);
      }
    }
    this.#pumping = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #open(): KafkaProducer {
    this.#producer ??= this.#driver.openProducer();
    return this.#producer;
  }

  #drop(producer: KafkaProducer | null): void {
    producer?.abandon();
    if (this.#producer === producer) this.#producer = null;
  }

  /** The first records of the queue. They stay there until they are settled. */
  #nextBatch(): QueuedRecord[] {
    let bytes = 0;
    const end = this.#queue.findIndex(({ record }, index) => {
      bytes += Buffer.byteLength(record.value) + HEADER_BYTES;
      return index > 0 && bytes > this.#maxBytes;
    });
    return this.#queue.slice(0, end === -1 ? this.#queue.length : end);
  }

  #messages(batch: readonly QueuedRecord[]): Map<string, OutgoingMessage[]> {
    const byTopic = new Map<string, OutgoingMessage[]>();
    for (const { record } of batch) {
      const topic = this.#topics[record.stream];
      const messages = byTopic.get(topic);
      if (messages === undefined) byTopic.set(topic, [record]);
      else messages.push(record);
    }
    return byTopic;
  }

  #settle(batch: readonly QueuedRecord[]): void {
    this.#queue = this.#queue.slice(batch.length);
    for (const { call } of batch) {
      call.unacknowledged -= 1;
      if (call.unacknowledged === 0) call.resolve();
    }
  }

  #failed(error: Error): void {
    this.#failure = { error: error.message, at: performance.now() };
    this.#drop(this.#producer);
    const now = performance.now();
    this.#giveUp((call) => call.until <= now, error);
  }

  /**
   * The request was too large. The next one is half as large, until only the record that is too
   * large is left.
   */
  #refused(batch: readonly QueuedRecord[], error: Error): void {
    const [record, second] = batch;
    if (second !== undefined) {
      this.#maxBytes = Math.max(MIN_REQUEST_BYTES, Math.floor(this.#maxBytes / 2));
      return;
    }
    this.#telemetry.log('error', 'a record is too large for Kafka', { key: record?.record.key, error });
    this.#giveUp((call) => call === record?.call, error);
  }

  #giveUp(lost: (call: Call) => boolean, error: Error): void {
    const failure = new Error(`Kafka did not accept the records: ${error.message}`, { cause: error });
    this.#queue = this.#queue.filter(({ call }) => {
      if (!lost(call)) return true;
      call.reject(failure);
      return false;
    });
  }
}
