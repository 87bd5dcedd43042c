import type { PersonalEvent } from '../../domain/personal-event.ts';
import type { PlaceKey } from '../../domain/place.ts';

/**
 * A connection that listens to the personal events of its user.
 *
 * Delivery: each event once, in the order of the calls. Errors: all methods are synchronous and
 * never throw. Close: the connection that ends takes its listener back by
 * `Application.ignorePersonalEvents`.
 */
export interface PersonalListener {
  /** The session of the connection. */
  readonly sessionId: string;
  /** True if this connection has a subscription to that place. */
  isSubscribedTo(place: PlaceKey): boolean;
  hear(event: PersonalEvent): void;
}
