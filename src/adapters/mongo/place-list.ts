import type { PlacesPart } from '../../application/ports/stored-data.ts';
import { type ConversationKey, parseConversationKey } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import { CHANNEL_SEQ, MARKER_PLACE, PLACE_FIRST } from './indexes.ts';

/** The collections that name places, in the order in which they are read. */
const SOURCES = ['events', 'positions', 'times', 'r', 'c'] as const;
type Source = (typeof SOURCES)[number];

/** `0` is the character after `/`, so this is behind all positions of the place. */
const AFTER_SLASH = '0';

/**
 * Lists places by one index seek each: first those of the log, then those that have only read
 * positions, read times, or messages of an original server.
 */
export class PlaceList {
  readonly #db: MongoDatabase;

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  async part(cursor: string | null, limit: number): Promise<PlacesPart> {
    const colon = cursor?.indexOf(':') ?? -1;
    let index = cursor === null ? 0 : Math.max(0, SOURCES.indexOf(cursor.slice(0, colon) as Source));
    let after = cursor === null ? '' : cursor.slice(colon + 1);
    const places: ConversationKey[] = [];
    for (let seen = 0; seen < limit; seen += 1) {
      const source = SOURCES[index];
      if (source === undefined) return { places, next: null };
      const next = await this.#next(source, after);
      if (next === null) {
        index += 1;
        after = '';
        continue;
      }
      after = next;
      const place = parseConversationKey(source === 'r' || source === 'c' ? `${source}-${next}` : next);
      if (place !== null && (source === 'events' || !(await this.#hasEvents(place)))) places.push(place);
    }
    const source = SOURCES[index];
    return { places, next: source === undefined ? null : `${source}:${after}` };
  }

  async #next(source: Source, after: string): Promise<string | null> {
    const { events, positions, markers } = this.#db;
    switch (source) {
      case 'events': {
        const options = { sort: { p: 1, f: -1 }, projection: { p: 1 }, hint: PLACE_FIRST } as const;
        return (await events.findOne({ p: { $gt: after as ConversationKey } }, options))?.p ?? null;
      }
      case 'positions': {
        const from = after === '' ? '' : `${after}${AFTER_SLASH}`;
        const found = await positions.findOne({ _id: { $gt: from } }, { sort: { _id: 1 }, projection: { _id: 1 } });
        return found?._id.split('/', 1)[0] ?? null;
      }
      case 'times': {
        const options = { sort: { channelId: 1 }, projection: { channelId: 1 }, hint: MARKER_PLACE } as const;
        return (await markers.findOne({ channelId: { $gt: after } }, options))?.channelId ?? null;
      }
      case 'r':
      case 'c': {
        const filter = { channelId: { $gt: after === '' ? 0 : Number(after) } };
        const options = {
          sort: { channelId: 1, seq: -1, localDateTime: -1, _id: -1 },
          projection: { channelId: 1 },
          hint: CHANNEL_SEQ,
        } as const;
        const found = await this.#db.messagesOf(`${source}-1`).findOne(filter, options);
        return found === null ? null : String(found.channelId);
      }
    }
  }

  async #hasEvents(place: ConversationKey): Promise<boolean> {
    return (await this.#db.events.findOne({ p: place }, { projection: { _id: 1 }, hint: PLACE_FIRST })) !== null;
  }
}
