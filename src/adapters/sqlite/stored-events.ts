import { deserialize } from 'node:v8';
import type { IncomingRecord, RecordHandler } from '../../application/ports/message-bus.ts';
import type { AppendBatch } from '../../application/ports/message-store.ts';
import type { Draft, StoredEvent } from '../../domain/stored-event.ts';
import { EventRecord } from '../records/event-record.ts';
import type { StoredBatch } from './shared-protocol.ts';

/**
 * Makes records of the events that a shared database stores. The process that owns the database
 * sends them to every worker in the order of its commits, so no worker needs to publish its own.
 */
export class StoredEvents {
  readonly #server: string;
  #hear: RecordHandler = () => {};

  /** @param server the id of this server */
  constructor(server: string) {
    this.#server = server;
  }

  /** Hands the records to `hear`. Events that were stored before are not repeated. */
  listen(hear: RecordHandler): void {
    this.#hear = hear;
  }

  /** This server has stored a batch. The other servers have got it already. */
  own({ place, drafts }: AppendBatch, first: number): void {
    const last = first + drafts.length - 1;
    for (const [i, draft] of drafts.entries()) {
      const event: StoredEvent = { ...draft, place, seq: first + i };
      this.#hear(new EventRecord(event, this.#server, last));
    }
  }

  /** Other servers have stored these batches. */
  others(batches: readonly StoredBatch[]): void {
    for (const batch of batches) {
      const drafts = once(() => deserialize(batch.drafts) as readonly Draft[]);
      for (let i = 0; i < batch.count; i += 1) this.#hear(new StoredRecord(batch, i, drafts));
    }
  }
}

/** One event of a batch. The batch is decoded when the first of its events is read. */
class StoredRecord implements IncomingRecord {
  readonly key: string;
  readonly server: string;
  readonly seq: number;
  readonly batchEnd: number;
  readonly isForServers = false;
  readonly trace: string | null;
  readonly #read: () => StoredEvent | null;

  constructor({ place, first, count, server, traces }: StoredBatch, index: number, drafts: () => readonly Draft[]) {
    this.key = place;
    this.server = server;
    this.seq = first + index;
    this.batchEnd = first + count - 1;
    this.trace = traces?.[index] ?? null;
    this.#read = once(() => {
      const draft = drafts()[index];
      return draft === undefined ? null : { ...draft, place, seq: this.seq };
    });
  }

  read(): StoredEvent | null {
    return this.#read();
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
