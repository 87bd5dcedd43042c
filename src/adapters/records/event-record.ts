import type { IncomingRecord, OutgoingEvent } from '../../application/ports/message-bus.ts';
import { isStored } from '../../domain/stored-event.ts';
import { isForServers } from './for-servers.ts';
import { recordKey } from './record-key.ts';

/** A record of an event that is in the memory of this process and needs no decoding. */
export class EventRecord implements IncomingRecord {
  readonly key: string;
  readonly server: string;
  readonly seq: number | null;
  readonly batchEnd: number | null;
  readonly isForServers: boolean;
  readonly trace: string | null;
  readonly #event: OutgoingEvent;

  constructor(event: OutgoingEvent, server: string, batchEnd: number | null, trace: string | null = null) {
    this.trace = trace;
    this.#event = event;
    this.key = recordKey(event);
    this.server = server;
    this.seq = isStored(event) ? event.seq : null;
    this.isForServers = isForServers(event);
    this.batchEnd = this.seq === null ? null : batchEnd;
  }

  read(): OutgoingEvent {
    return this.#event;
  }
}
