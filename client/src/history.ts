import type { Body } from './connection.ts';
import { entryOf } from './entry.ts';
import type { Http } from './http.ts';
import { idOf, isRoom, type PlaceKey } from './place-key.ts';
import type { Page } from './timeline.ts';

export type Range = { readonly page: 0 } | { readonly before: number } | { readonly after: number };

/** Reads a page of a place's history. @throws Refused, Unanswered */
export async function readHistory(http: Http, key: PlaceKey, range: Range, size: number): Promise<Page> {
  const path = isRoom(key) ? 'direct' : 'community';
  const { result, seq } = await http.get(path, { ch_id: idOf(key), ...range, size });
  const entries = (result as readonly Body[]).map(entryOf);
  return { entries, seq, isFull: entries.length >= size };
}
