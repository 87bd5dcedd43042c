import { Partitioners, type Producer, type TopicMessages } from 'kafkajs';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { EncodedRecord } from '../records/record-codec.ts';
import { type Client, type ClientOptions, openClient, within } from './client.ts';
import type { NamePerStream } from './topics.ts';

/** One `send` call: settled when its last record is, or by the first that fails. */
interface Call {
  open: number;
  readonly until: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Waiting {
  readonly record: EncodedRecord;
  readonly call: Call;
}

const MOST_WAITING = 50_000;
/** Well under the megabyte that a broker takes at once by default. */
const MOST_BYTES = 512 * 1024;
const LEAST_BYTES = 1_024;
/** About what key and headers add to a record. */
const HEADER_BYTES = 200;
/** Of this time one attempt may take a part; together they stay within the 10 s after which a caller shall know. */
const GIVE_UP_MS = 6_000;
const ATTEMPT_MS = 4_000;
const NEWS_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Writes records with all replicas' acknowledgement, one request at a time: so order holds when a request is repeated. Records that arrive while
 * one is under way go together in the next. After a failure everything is made anew, connections too, until Kafka is back.
 */
export class RecordSender {
  readonly #options: ClientOptions;
  readonly #topics: NamePerStream;
  readonly #telemetry: Telemetry;
  #queue: Waiting[] = [];
  #client: { readonly producer: Producer; readonly client: Client } | null = null;
  #pumping = false;
  #closed = false;
  #idle: (() => void)[] = [];
  #mostBytes = MOST_BYTES;
  #failure: { readonly reason: string; readonly at: number } | null = null;

  constructor(options: ClientOptions, topics: NamePerStream) {
    this.#options = options;
    this.#topics = topics;
    this.#telemetry = options.telemetry;
  }

  /** Why the last request failed, while that is news; null after one that succeeded. */
  get failure(): string | null {
    // Who has nothing more to send would else be out of order for ever.
    return this.#failure !== null && Date.now() - this.#failure.at < NEWS_MS ? this.#failure.reason : null;
  }

  /** Connects ahead of the first record. Where that fails, the first record tries again. */
  async connect(): Promise<void> {
    await this.#producer().catch(() => {});
  }

  send(records: readonly EncodedRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the message bus is closed'));
    if (records.length === 0) return Promise.resolve();
    if (this.#queue.length + records.length > MOST_WAITING) {
      return Promise.reject(new Error(`more than ${MOST_WAITING} records wait for Kafka`));
    }
    return new Promise((resolve, reject) => {
      const call: Call = { open: records.length, until: Date.now() + GIVE_UP_MS, resolve, reject };
      for (const record of records) this.#queue.push({ record, call });
      if (!this.#pumping) void this.#pump();
    });
  }

  /** Takes no more records, and sends or rejects within `ms` what was taken. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    if (this.#pumping) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      await within(ms, 'sending the last records', idle).catch(() => {});
    }
    const rest = this.#queue;
    this.#queue = [];
    for (const { call } of rest) call.reject(new Error('the message bus was closed before Kafka answered'));
    const { client, producer } = this.#client ?? {};
    this.#client = null;
    if (producer !== undefined) await within(1_000, 'closing', producer.disconnect()).catch(() => {});
    client?.abandon();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    // Calls of the same turn go together.
    await Promise.resolve();
    let pause = FIRST_PAUSE_MS;
    while (this.#queue.length > 0) {
      const batch = this.#nextBatch();
      try {
        await within(ATTEMPT_MS, 'writing to Kafka', this.#write(batch));
        this.#settle(batch);
        this.#failure = null;
        this.#mostBytes = Math.min(MOST_BYTES, this.#mostBytes * 2);
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        const reason = error instanceof Error ? error : new Error(String(error));
        if (isTooLarge(reason)) {
          this.#refused(batch, reason);
          continue;
        }
        this.#failed(reason);
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
    this.#pumping = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const topicMessages = this.#messages(batch);
    const { producer } = await this.#producer();
    await producer.sendBatch({ acks: -1, topicMessages });
  }

  async #producer(): Promise<{ readonly producer: Producer }> {
    if (this.#client !== null) return this.#client;
    const client = openClient(this.#options);
    const producer = client.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    const opened = { producer, client };
    this.#client = opened;
    try {
      await producer.connect();
    } catch (error) {
      this.#drop(opened);
      throw error;
    }
    return opened;
  }

  #drop(opened: { readonly client: Client } | null): void {
    opened?.client.abandon();
    if (this.#client === opened) this.#client = null;
  }

  /** The front of the queue, which stays there until it is settled. */
  #nextBatch(): Waiting[] {
    let bytes = 0;
    const end = this.#queue.findIndex(({ record }, index) => {
      bytes += Buffer.byteLength(record.value) + HEADER_BYTES;
      return index > 0 && bytes > this.#mostBytes;
    });
    return this.#queue.slice(0, end === -1 ? this.#queue.length : end);
  }

  #messages(batch: readonly Waiting[]): TopicMessages[] {
    const byTopic = new Map<string, { key: string; value: string; headers: Record<string, string> }[]>();
    for (const { record } of batch) {
      const topic = this.#topics[record.stream];
      const { key, value, headers } = record;
      const message = { key, value, headers: { ...headers } };
      const messages = byTopic.get(topic);
      if (messages === undefined) byTopic.set(topic, [message]);
      else messages.push(message);
    }
    return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
  }

  #settle(batch: readonly Waiting[]): void {
    this.#queue = this.#queue.slice(batch.length);
    for (const { call } of batch) {
      call.open -= 1;
      if (call.open === 0) call.resolve();
    }
  }

  #failed(error: Error): void {
    this.#failure = { reason: error.message, at: Date.now() };
    this.#drop(this.#client);
    const now = Date.now();
    this.#giveUp((call) => call.until <= now, error);
  }

  /** Too large for the broker: the next request is half as large, down to the one record that is at fault. */
  #refused(batch: readonly Waiting[], error: Error): void {
    const [only, more] = batch;
    if (more !== undefined) {
      this.#mostBytes = Math.max(LEAST_BYTES, Math.floor(this.#mostBytes / 2));
      return;
    }
    this.#telemetry.log('error', 'kafka refuses a record as too large', { key: only?.record.key });
    this.#giveUp((call) => call === only?.call, error);
  }

  #giveUp(lost: (call: Call) => boolean, error: Error): void {
    const reason = new Error(`Kafka did not take the records: ${error.message}`, { cause: error });
    this.#queue = this.#queue.filter(({ call }) => {
      if (!lost(call)) return true;
      call.reject(reason);
      return false;
    });
  }
}

function isTooLarge(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const type = 'type' in error ? error.type : undefined;
  return type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE' || isTooLarge(error.cause);
}
