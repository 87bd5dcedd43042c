import type { Refusal } from '../../domain/errors.ts';
import type { PlaceKey } from '../../domain/place.ts';

/** The connection behind a session, as operators see it. */
export interface SessionFacts {
  /** Address of the client; empty if unknown. */
  readonly address: string;
  /** Such as `websocket` or `xhr_streaming`. */
  readonly transport: string;
  /** The subscribed places, each once, at most 1,000. */
  readonly places: readonly PlaceKey[];
  /** Number of all subscriptions. */
  readonly subscriptions: number;
  /** Bytes that wait for the client. */
  readonly waitingBytes: number;
}

/** The client of a session. The calls are synchronous and never throw. */
export interface SessionClient {
  /**
   * Ends the session: the client gets the refusal, then the connection closes. Does nothing if it
   * has ended.
   */
  end(refusal: Refusal): void;
  facts(): SessionFacts;
  /** Bytes that wait for the client. Cheap: it is read of all sessions at once. */
  readonly waitingBytes: number;
}
