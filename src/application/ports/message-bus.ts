import type { ChatEvent, TransientEvent } from '../../domain/chat-event.ts';
import type { ClusterEvent } from '../../domain/cluster-event.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';

/**
 * An event that this server can put on the bus. Events that other servers wrote in a form of their
 * own (`unknown`, `foreign`) are received but never sent.
 */
export type OutgoingEvent = StoredEvent | TransientEvent | ClusterEvent;

/** A record to publish. */
export interface OutgoingRecord {
  readonly event: OutgoingEvent;
  /**
   * Stored events only: number of the last event of the append that stored this event. A receiver
   * of the record with `seq === batchEnd` knows that an append ended there. The next append
   * probably begins with the next number.
   */
  readonly batchEnd?: number;
  /** Position in a trace, for the header `traceparent`; not given without a trace. */
  readonly trace?: string;
}

/**
 * A record as it arrives. `key`, `server`, `seq` and `batchEnd` are cheap to read. The event is
 * decoded at the first call that needs it, since most records concern no client of this server.
 */
export interface IncomingRecord {
  /**
   * The place of the event (`r-5`, `c-11`, `com-1`), otherwise `u-{user id}` or `s-{server id}`;
   * null if the writer set none.
   */
  readonly key: string | null;
  /** Id of the server that wrote the record; null for an original server. */
  readonly server: string | null;
  /** Number of a stored event; null for every other event. */
  readonly seq: number | null;
  readonly batchEnd: number | null;
  /** The header `traceparent` as it was written; null or missing without a trace. */
  readonly trace?: string | null;
  /**
   * True exactly for the events that the servers themselves act on: changed member lists
   * (`members-changed`), reports about sessions (`roster`), reports of what a user has read
   * (`read`), new orders of administrators (`moderation-changed`), and questions of servers to each
   * other with their answers (`question`, `answer`). A server reads them even if no client
   * subscribes to the place. All other events, such as presence and voice, are for subscribers.
   * False for a record that cannot be decoded.
   */
  readonly isForServers: boolean;
  /**
   * Decodes the event; each call returns the same object. Null if the record cannot be decoded. The
   * adapter has then counted and logged it, and the caller skips it. A numbered event of a kind
   * that this version does not know is an `UnknownEvent`.
   */
  read(): ChatEvent | null;
}

/**
 * Called once for each record, one call at a time. It returns quickly, since the next records wait
 * for it. It should not throw. If it does, the bus logs the error and continues with the next
 * record.
 */
export type RecordHandler = (record: IncomingRecord) => void;

export interface BusHealth {
  /** False while this server may miss records or cannot publish. */
  readonly ready: boolean;
  /** Human-readable, for the health page, e.g. `state-topic: no heartbeat for 31 s`. */
  readonly reason?: string;
}

/**
 * Carries every event to every server of the cluster, the writer included. The suite is
 * `test/contracts/message-bus.ts`.
 *
 * **Delivery.** Each server receives every record that was published after its `start` resolved. It
 * does not receive records that were published earlier or while it was not running. Normally a
 * record arrives once. It may arrive again if `publish` had to repeat a write or if a connection
 * was lost. Repeated numbered events are recognized by their number, other events are harmless.
 *
 * **Loss.** A bus should lose nothing that `publish` acknowledged, even if a broker restarts. A bus
 * that can lose records is allowed and declares it as a limit in its run of the suite. A lost
 * numbered event costs some seconds only: each server compares its numbers with the store and reads
 * the missing events. A lost unnumbered event is gone for the servers that missed it:
 *
 * - typing, presence, voice: clients see an old state until the next change
 * - `roster`: the receiver finds the gap in `version` and asks for the whole list
 * - `moderation-changed`: servers find the orders in the store within a second
 * - `question`, `answer`: the one who asks hears that a server is missing
 * - `members-changed`: a removed member stays subscribed until that server reads the member list
 *   again, after about a minute
 *
 * **Order.** Records of one place (or one user or server, if the event has no place) and one kind
 * of event arrive in the order in which one server published them. Nothing else is ordered: not two
 * kinds of events and not two servers. For that reason stored events carry numbers.
 *
 * **Independence.** A slow or absent server never delays records for another server. A record that
 * cannot be decoded or that the handler fails on never stops the records behind it.
 *
 * **Size.** The bus carries values of at least 700,000 bytes, the size of the longest message that
 * can be configured. A larger record that the broker refuses makes its own `publish` reject and no
 * other.
 *
 * **Lost connection.** The bus reconnects by itself, without limit. While this server may miss
 * records, `health` is not ready. A bus that keeps records continues behind the last record that it
 * handed on, so nothing is missed. A bus that does not keep records declares the limit
 * `losesWhileDisconnected`.
 */
export interface MessageBus {
  /**
   * Joins the cluster, and resolves when this server receives every record that is published from
   * now on. Can be called once. Rejects if another live server uses the same server id (the message
   * names the id), or if the broker refuses this server. After a rejection the bus is closed.
   *
   * If the broker cannot be reached in a bounded time, a bus may resolve nevertheless. Then it is
   * not ready, `publish` rejects, and it joins by itself later. If it is refused then, it closes
   * itself and reports the error to the part that made it.
   */
  start(handler: RecordHandler): Promise<void>;
  /**
   * Resolves when the bus has accepted all records as durably as it can. Rejects if that is not
   * certain. Some of the records may have been written then. It settles within 10 s, also while the
   * broker is away: then the caller publishes stored events again later and gives up the others.
   * Can be called without waiting for an earlier call, and order holds. A bus may combine such
   * calls into one write.
   */
  publish(records: readonly OutgoingRecord[]): Promise<void>;
  /**
   * Reports whether records arrive and can be published at present. Not ready before `start`
   * resolved and after `close`.
   */
  health(): BusHealth;
  /**
   * Leaves the cluster. No record is handed to the handler after the call. Each `publish` that is
   * under way settles within 5 s: it resolves only if its records were accepted. Idempotent.
   *
   * With `forget`, the bus also removes whatever the broker keeps for this server id, because the
   * server does not return. A bus that keeps nothing for a server ignores it.
   */
  close(options?: { readonly forget?: boolean }): Promise<void>;
}
