import { setTimeout as delay } from 'node:timers/promises';
import type { RecordHandler, Telemetry } from 'chat-server/ports';
import {
  isRecordStream,
  RECORD_STREAMS,
  ReceivedRecord,
  type RecordSource,
  type RecordStream,
  type SkipReport,
  skipReport,
} from 'chat-server/records';
import type { Redis } from 'ioredis';
import { errorText } from './connection.ts';

/** A blocking read returns after this time without a record. */
const BLOCK_MS = 2_000;
const MAX_ENTRIES = 500;
const RETRY_MS = 100;

/**
 * An entry as Redis returns it: its id `{milliseconds}-{number}`, then names and values in turn.
 */
type Entry = readonly [id: string, fields: readonly string[]];

export interface StreamReaderParts {
  readonly redis: Redis;
  readonly key: string;
  readonly telemetry: Telemetry;
  readonly handler: RecordHandler;
}

/**
 * Reads a Redis stream from its present end on, until it is closed. It reconnects by itself and
 * continues behind the last entry.
 */
export class StreamReader {
  readonly #parts: StreamReaderParts;
  readonly #skipped: SkipReport;
  readonly #sources: ReadonlyMap<RecordStream, RecordSource>;
  #position = '0-0';
  #closed = false;
  #problem: string | null = null;

  constructor(parts: StreamReaderParts) {
    this.#parts = parts;
    const report = skipReport(parts.telemetry);
    this.#skipped = report;
    this.#sources = new Map(
      RECORD_STREAMS.map((stream) => [
        stream,
        { stream, skipped: ({ timestamp }, error) => report({ timestamp }, error) },
      ]),
    );
  }

  /** Human-readable; null while records are read. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Resolves when the position is known. Every record that is written afterwards is read. */
  async start(): Promise<void> {
    const { redis, key } = this.#parts;
    const [newest] = await redis.xrevrange(key, '+', '-', 'COUNT', 1);
    if (newest !== undefined) this.#position = newest[0];
    void this.#run();
  }

  /** No record is handed on after the call. */
  close(): void {
    this.#closed = true;
    this.#parts.redis.disconnect();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        for (const entry of await this.#read()) this.#take(entry);
        this.#problem = null;
      } catch (error) {
        this.#problem = errorText(error);
        await delay(RETRY_MS);
      }
    }
  }

  async #read(): Promise<readonly Entry[]> {
    const { redis, key } = this.#parts;
    const streams = await redis.xread('COUNT', MAX_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', key, this.#position);
    return streams?.[0]?.[1] ?? [];
  }

  #take([id, fields]: Entry): void {
    if (this.#closed) return;
    this.#position = id;
    const { stream, key = null, value = null, ...headers } = objectOf(fields);
    const source = stream !== undefined && isRecordStream(stream) ? this.#sources.get(stream) : undefined;
    if (source === undefined) {
      this.#skipped({ id }, 'the field stream is missing or not known');
      return;
    }
    try {
      this.#parts.handler(new ReceivedRecord({ key, value, headers, timestamp: Number.parseInt(id, 10) }, source));
    } catch (error) {
      this.#parts.telemetry.log('error', 'the record handler threw', { id, error });
    }
  }
}

function objectOf(fields: readonly string[]): Partial<Record<string, string>> {
  const object: Partial<Record<string, string>> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) object[fields[i] ?? ''] = fields[i + 1] ?? '';
  return object;
}
