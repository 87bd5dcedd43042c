import type { UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { GivenBan, GivenMute, Restrictions } from '../moderation/restrictions.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { ReadPosition } from '../ports/read-markers.ts';
import type { StoredData } from '../ports/stored-data.ts';
import { messagePages, numberRanges } from './erase-user.ts';
import { fileKeysOf } from './remove-expired.ts';

/** A line of an export. The last one is `end`; without it the export is not complete. */
export type ExportLine =
  | { readonly type: 'user'; readonly userId: UserId; readonly time: number }
  | { readonly type: 'message'; readonly message: Message; readonly files: readonly string[] }
  | { readonly type: 'event'; readonly event: StoredEvent }
  | { readonly type: 'read'; readonly position: ReadPosition }
  /** A ban or mute that holds now, without the name of its administrator. */
  | { readonly type: 'ban'; readonly ban: Omit<GivenBan, 'admin'> }
  | { readonly type: 'mute'; readonly mute: Omit<GivenMute, 'admin'> }
  | { readonly type: 'end'; readonly lines: number };

const BATCH_PLACES = 50;

export interface ExportUserParts {
  readonly data: StoredData;
  readonly store: Pick<MessageStore, 'newest'>;
  readonly restrictions: Pick<Restrictions, 'bans' | 'mutes'>;
  readonly now: () => number;
}

/** Lists everything that is stored of one person, of any size, in parts. */
export async function* exportUser(
  { data, store, restrictions, now }: ExportUserParts,
  userId: UserId,
): AsyncGenerator<ExportLine, void, void> {
  let lines = 1;
  yield { type: 'user', userId, time: now() };
  for await (const line of linesOf(data, store, userId)) {
    lines += 1;
    yield line;
  }
  for (const line of restrictionsOf(restrictions, userId)) {
    lines += 1;
    yield line;
  }
  yield { type: 'end', lines };
}

function* restrictionsOf(restrictions: ExportUserParts['restrictions'], user: UserId): Generator<ExportLine> {
  for (const { userId, until, reason, at } of restrictions.bans()) {
    if (userId === user) yield { type: 'ban', ban: { userId, until, reason, at } };
  }
  for (const { userId, place, until, at } of restrictions.mutes()) {
    if (userId === user) yield { type: 'mute', mute: { userId, place, until, at } };
  }
}

async function* linesOf(
  data: StoredData,
  store: Pick<MessageStore, 'newest'>,
  userId: UserId,
): AsyncGenerator<ExportLine> {
  for (let cursor: string | null = null; ; ) {
    const { places, next }: Awaited<ReturnType<StoredData['places']>> = await data.places(cursor, BATCH_PLACES);
    for (const place of places) {
      for await (const page of messagePages(data, userId, place)) {
        for (const message of page) yield { type: 'message', message, files: fileKeysOf(message) };
      }
      const newest = (await store.newest([place])).get(place) ?? 0;
      for (const [from, to] of numberRanges(newest)) {
        for (const event of await data.eventsOf(userId, place, from, to)) yield { type: 'event', event };
      }
      const position = await data.readingOf(userId, place);
      if (position !== null) yield { type: 'read', position };
    }
    if (next === null) return;
    cursor = next;
  }
}
