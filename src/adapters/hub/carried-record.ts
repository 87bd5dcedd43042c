import { deserialize, serialize } from 'node:v8';
import type { IncomingRecord } from '../../application/ports/message-bus.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import type { EventRecord } from '../records/event-record.ts';
import type { CarriedRecord } from './protocol.ts';

/** The form in which a record goes to other processes. */
export function carried(record: EventRecord): CarriedRecord {
  const { key, server, seq, batchEnd, isForServers, trace } = record;
  return { key, server, seq, batchEnd, isForServers, trace, event: serialize(record.read()) };
}

/** A record from another process. Its event is decoded when it is read for the first time. */
export class LazyRecord implements IncomingRecord {
  readonly key: string;
  readonly server: string;
  readonly seq: number | null;
  readonly batchEnd: number | null;
  readonly isForServers: boolean;
  readonly trace: string | null;
  #bytes: Uint8Array | null;
  #event: ChatEvent | null = null;

  constructor({ key, server, seq, batchEnd, isForServers, trace, event }: CarriedRecord) {
    this.trace = trace;
    this.key = key;
    this.server = server;
    this.seq = seq;
    this.batchEnd = batchEnd;
    this.isForServers = isForServers;
    this.#bytes = event;
  }

  read(): ChatEvent | null {
    if (this.#bytes !== null) {
      this.#event = deserialize(this.#bytes) as ChatEvent;
      this.#bytes = null;
    }
    return this.#event;
  }
}
