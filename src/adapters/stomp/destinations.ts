import type { PlaceKey } from '../../domain/place.ts';
import { parsePlaceText, placeText } from '../records/place-text.ts';

/** A STOMP destination, e.g. `/topic/direct/5`. */
export type Destination = string;

/** The texts of places begin with this in destinations. */
const TOPIC = '/topic/';

/**
 * The destination at which a client hears of its own refused commands. It never leaves the
 * connection.
 */
export const ERRORS_DESTINATION: Destination = '/user/queue/errors';

/** The destination of the user's personal events, which come to each connection that asks. */
export const EVENTS_DESTINATION: Destination = '/user/queue/events';

/**
 * The destination to which clients subscribe for a place: `/topic/direct/5`, `/topic/group/11`,
 * `/topic/community/1`.
 */
export function destinationOf(place: PlaceKey): Destination {
  return TOPIC + placeText(place);
}

/**
 * Reads exactly the three forms of {@link destinationOf}. Null for anything else, patterns
 * included.
 */
export function parseDestination(destination: Destination): PlaceKey | null {
  return destination.startsWith(TOPIC) ? parsePlaceText(destination.slice(TOPIC.length)) : null;
}
