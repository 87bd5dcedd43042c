/** A room `r-5` or a channel `c-11`: a place with numbered messages. */
export type PlaceKey = `r-${number}` | `c-${number}`;
/** A place, or a community `com-1`. */
export type AnyPlaceKey = PlaceKey | `com-${number}`;

const TOPICS = { r: 'direct', c: 'group', com: 'community' } as const;

export function idOf(key: AnyPlaceKey): number {
  return Number(key.slice(key.lastIndexOf('-') + 1));
}

export function isRoom(key: AnyPlaceKey): boolean {
  return key.startsWith('r-');
}

export function topicOf(key: AnyPlaceKey): string {
  const kind = key.slice(0, key.lastIndexOf('-')) as keyof typeof TOPICS;
  return `/topic/${TOPICS[kind]}/${idOf(key)}`;
}

/** @throws TypeError where a text is not `r-5`, `c-11` or `com-1` */
export function checked<K extends AnyPlaceKey>(key: K): K {
  if (!/^(r|c|com)-[1-9]\d*$/.test(key)) throw new TypeError(`${key} is not a place such as r-5 or c-11`);
  return key;
}
