import { Refusal } from '../../domain/errors.ts';
import { idOf, isChannel, isRoom, type PlaceKey } from '../../domain/place.ts';

/**
 * The refusal of a caller who may not read or write in that place. It is the same if the place does
 * not exist, so that a caller cannot find out which places exist.
 */
export function notMember(place: PlaceKey): Refusal {
  const kind = isRoom(place) ? 'room' : isChannel(place) ? 'channel' : 'community';
  return new Refusal('not-permitted', `you are not a member of ${kind} ${idOf(place)}`);
}
