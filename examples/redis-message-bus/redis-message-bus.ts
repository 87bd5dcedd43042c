import { setTimeout as delay } from 'node:timers/promises';
import type { BusHealth, MessageBus, OutgoingRecord, RecordHandler, Telemetry } from 'chat-server/ports';
import { type EncodedRecord, encodeRecord } from 'chat-server/records';
import type { Redis } from 'ioredis';
import { createConnection, errorText } from './connection.ts';
import { ServerLease } from './server-lease.ts';
import { StreamReader } from './stream-reader.ts';

export interface RedisMessageBusOptions {
  /** `redis://host:port` */
  readonly url: string;
  readonly serverId: string;
  readonly telemetry: Telemetry;
  /** Before the names of all keys. Default: `chat`. */
  readonly prefix?: string;
  /**
   * Redis keeps about this number of records. A server that is further behind misses the older
   * ones. Default: 100,000.
   */
  readonly keepRecords?: number;
  /** A killed server reserves its id for this time, in milliseconds. Default: 10,000. */
  readonly leaseMs?: number;
}

const MAX_VALUE_BYTES = 1_000_000;
const CLOSE_MS = 4_500;

type Stage = 'new' | 'starting' | 'running' | 'closed';

/**
 * A bus on one Redis stream that all servers write to and read. Each server keeps its own position,
 * so all of them receive every record. Redis needs a persistence mode (`appendonly yes`) in order
 * to keep records when it restarts.
 */
export class RedisMessageBus implements MessageBus {
  readonly #options: RedisMessageBusOptions;
  readonly #streamKey: string;
  readonly #writer: Redis;
  readonly #lease: ServerLease;
  readonly #leaseMs: number;
  readonly #publishing = new Set<Promise<void>>();
  #reader: StreamReader | null = null;
  #stage: Stage = 'new';
  #leaseTimer: NodeJS.Timeout | undefined;
  /** The error of the last command of the writer; null if it succeeded. */
  #problem: string | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: RedisMessageBusOptions) {
    const { url, serverId, prefix = 'chat', leaseMs = 10_000 } = options;
    this.#options = options;
    this.#streamKey = `${prefix}:records`;
    this.#writer = createConnection(url, `${prefix}-${serverId}-writer`);
    this.#leaseMs = leaseMs;
    this.#lease = new ServerLease(this.#writer, `${prefix}:server:${serverId}`, leaseMs);
  }

  async start(handler: RecordHandler): Promise<void> {
    if (this.#stage !== 'new') throw new Error(`the message bus cannot be started again: it is ${this.#stage}`);
    this.#stage = 'starting';
    try {
      await this.#join(handler);
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#closing !== null) throw new Error('the message bus was closed while it started');
    this.#stage = 'running';
    this.#leaseTimer = setInterval(() => void this.#renewLease(), this.#leaseMs / 3).unref();
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#stage !== 'running') return Promise.reject(new Error(`the message bus is ${this.#stage}`));
    const writing = this.#write(records.map((record) => encodeRecord(record, this.#options.serverId)));
    this.#publishing.add(writing);
    const done = () => this.#publishing.delete(writing);
    writing.then(done, done);
    return writing;
  }

  health(): BusHealth {
    if (this.#stage !== 'running') return { ready: false, reason: `the message bus is ${this.#stage}` };
    const reading = this.#reader?.problem ?? null;
    if (reading !== null) return { ready: false, reason: `reading from Redis: ${reading}` };
    if (this.#problem !== null) return { ready: false, reason: `writing to Redis: ${this.#problem}` };
    return { ready: true };
  }

  /**
   * Redis keeps only the lease of a server, and each close releases it. So `forget` has no effect.
   */
  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #join(handler: RecordHandler): Promise<void> {
    const { url, serverId, prefix = 'chat', telemetry } = this.#options;
    const redis = createConnection(url, `${prefix}-${serverId}-reader`);
    this.#reader = new StreamReader({ redis, key: this.#streamKey, telemetry, handler });
    await Promise.all([this.#writer.connect(), redis.connect()]);
    if (!(await this.#lease.acquire()))
      throw new Error(`another live server uses the server id ${serverId}; each server needs its own id`);
    await this.#reader.start();
  }

  /** Writes all records or none, as one transaction. */
  async #write(records: readonly EncodedRecord[]): Promise<void> {
    if (records.length === 0) return;
    const tooLarge = records.find(({ value }) => Buffer.byteLength(value) > MAX_VALUE_BYTES);
    if (tooLarge !== undefined) throw new Error(`the record of ${tooLarge.key} exceeds ${MAX_VALUE_BYTES} bytes`);
    const { keepRecords = 100_000 } = this.#options;
    const transaction = this.#writer.multi();
    for (const { stream, key, headers, value } of records) {
      const fields = Object.entries({ stream, key, value, ...headers }).flat();
      transaction.xadd(this.#streamKey, 'MAXLEN', '~', keepRecords, '*', ...fields);
    }
    await this.#command(async () => {
      const results = await transaction.exec();
      const failed = results?.find(([error]) => error !== null)?.[0];
      if (results === null || failed) throw failed ?? new Error('Redis discarded the transaction');
    });
  }

  async #renewLease(): Promise<void> {
    const { serverId } = this.#options;
    try {
      await this.#command(async () => {
        if (!(await this.#lease.renew())) throw new Error(`another server uses the server id ${serverId}`);
      });
    } catch (error) {
      this.#options.telemetry.log('warn', 'the lease of the server id was not renewed', { serverId, error });
    }
  }

  async #command(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#problem = null;
    } catch (error) {
      this.#problem = errorText(error);
      throw error;
    }
  }

  async #leave(): Promise<void> {
    this.#stage = 'closed';
    clearInterval(this.#leaseTimer);
    this.#reader?.close();
    const finished = Promise.allSettled(this.#publishing).then(() => this.#lease.release());
    await Promise.race([finished.catch(() => {}), delay(CLOSE_MS, undefined, { ref: false })]);
    // A command that is not answered yet rejects now.
    this.#writer.disconnect();
  }
}
