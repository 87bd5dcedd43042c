import { parseId } from '../../domain/ids.ts';
import { idOf, isCommunity, isRoom, type PlaceKey } from '../../domain/place.ts';

/** A STOMP destination, e.g. `/topic/direct/5`. */
export type Destination = string;

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
  if (isRoom(place)) return `/topic/direct/${idOf(place)}`;
  return isCommunity(place) ? `/topic/community/${idOf(place)}` : `/topic/group/${idOf(place)}`;
}

/**
 * Reads exactly the three forms of {@link destinationOf}. Null for anything else, patterns
 * included.
 */
export function parseDestination(destination: Destination): PlaceKey | null {
  const [empty, root, kind, text, more] = destination.split('/', 5);
  if (empty !== '' || root !== 'topic' || text === undefined || more !== undefined) return null;
  const id = parseId(text);
  if (id === null) return null;
  switch (kind) {
    case 'direct':
      return `r-${id}`;
    case 'group':
      return `c-${id}`;
    case 'community':
      return `com-${id}`;
    default:
      return null;
  }
}
