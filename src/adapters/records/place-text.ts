import { parseId } from '../../domain/ids.ts';
import { idOf, isCommunity, isRoom, type PlaceKey } from '../../domain/place.ts';

/**
 * A place in the spelling of the community service and of the records between servers: `direct/5`,
 * `group/11`, `community/1`.
 */
export function placeText(place: PlaceKey): string {
  if (isRoom(place)) return `direct/${idOf(place)}`;
  return isCommunity(place) ? `community/${idOf(place)}` : `group/${idOf(place)}`;
}

/** Reads exactly the three forms above; null for anything else. */
export function parsePlaceText(text: string): PlaceKey | null {
  const [kind, number, more] = text.split('/', 3);
  const id = more === undefined ? parseId(number) : null;
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

/** The places among these texts. A text that names no place is left out. */
export function parsePlaceTexts(texts: readonly string[]): PlaceKey[] {
  return texts.map(parsePlaceText).filter((place) => place !== null);
}
