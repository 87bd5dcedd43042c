import type { ChatEvent } from '../../domain/chat-event.ts';

/** What is put on the bus: an event, and for a stored one the newest number that was stored together with it. */
export interface OutgoingRecord {
  readonly event: ChatEvent;
  /**
   * Stored events only: number of the last event of the append that this event was part of. Who has heard `seq === batchEnd` knows that an append
   * ended there, and may believe that the next one begins behind it.
   */
  readonly batchEnd?: number;
}

/** A record as it arrives. What costs nothing to know is at hand; the event itself is decoded only when somebody asks. */
export interface IncomingRecord {
  /** `r-5`, `c-11`, `com-1`, `u-3`; null where the writer set none. */
  readonly key: string | null;
  /** Server id of the writer; null for an original server. */
  readonly server: string | null;
  /** Number of a stored event, null for everything else. */
  readonly seq: number | null;
  readonly batchEnd: number | null;
  /** True for what servers may have to know although none of their clients listens there, such as changed members. */
  readonly isForServers: boolean;
  /** Decodes the event. Null when it cannot be decoded: the adapter has counted and logged it, and the record is to be skipped. */
  read(): ChatEvent | null;
}

/** Called once for each record, in the order of each topic's partition. Must not throw, and does not block: records wait behind it. */
export type RecordHandler = (record: IncomingRecord) => void;

export interface BusHealth {
  readonly ready: boolean;
  /** For people and for the health page, e.g. `state-topic: no heart-beat for 31 s`. */
  readonly reason?: string;
}

/**
 * Carries every event to every server of the cluster, the writer's own included.
 *
 * Delivery: at least once to each server that has started, from the moment `start` resolved; a server that was away hears nothing of what was
 * written meanwhile (the store has it). Order: records of one key and one kind of event arrive in the order of `publish` calls of one server;
 * between kinds and servers there is none, which is why stored events carry numbers.
 * One server's slowness or absence never withholds a record from another.
 */
export interface MessageBus {
  /**
   * Joins, and resolves when records written from now on will be heard. Rejects when another live server uses the same server id
   * (`Error` whose message names it), or when the broker can't be reached within a bound.
   */
  start(handler: RecordHandler): Promise<void>;
  /**
   * Resolves when all records are durable on the bus (Kafka: acknowledged by all in-sync replicas). Rejects when that is not certain; some
   * of them may have been written all the same. Calls that arrive while one is under way are sent together. What has no number may be given up
   * after a few seconds of trying.
   */
  publish(records: readonly OutgoingRecord[]): Promise<void>;
  health(): BusHealth;
  /** Leaves: records still arriving are dropped, what was accepted by `publish` is sent or rejected within 5 s. `forget` also removes what the broker keeps of this server (its groups). Idempotent. */
  close(options?: { readonly forget?: boolean }): Promise<void>;
}
