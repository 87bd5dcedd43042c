import type { Db, IndexDescription } from 'mongodb';
import { MAX_SLOW_MODE_SECONDS } from '../../domain/moderation.ts';
import { DUPLICATE_KEY } from './error-codes.ts';

export const PLACE_FIRST = 'place_first';
export const NONCE = 'nonce';
export const NONCE_AGE = 'nonce_age';
export const UNPROJECTED = 'unprojected';
export const LATE = 'late';
export const UNPUBLISHED = 'unpublished';
export const CHANNEL_SEQ = 'channel_seq';
export const CHANNEL_TIME = 'channel_time';
export const CHANNEL_USER = 'channel_user_seq';
export const EDITS = 'edits';
export const FILE_TIME = 'file_time';
export const QUOTES = 'quotes';
export const REPLIES = 'replies';
export const MARKER_PLACE = 'place';

const EVENT: IndexDescription[] = [
  // This unique index decides which of several writers gets a number. Reads of positions and
  // replays use it too.
  { name: PLACE_FIRST, key: { p: 1, f: -1 }, unique: true },
  { name: NONCE, key: { n: 1 }, unique: true, partialFilterExpression: { n: { $exists: true } } },
  { name: NONCE_AGE, key: { at: -1 }, partialFilterExpression: { n: { $exists: true } } },
  { name: UNPROJECTED, key: { p: 1, f: 1 }, partialFilterExpression: { proj: true } },
  { name: LATE, key: { late: 1 }, partialFilterExpression: { proj: 'late' } },
  { name: UNPUBLISHED, key: { at: 1 }, partialFilterExpression: { out: true } },
  { name: EDITS, key: { m: 1 }, partialFilterExpression: { m: { $exists: true } } },
  // Batches with replies, by the messages that they quote.
  { name: QUOTES, key: { 'e.parentId': 1 }, partialFilterExpression: { 'e.parentId': { $exists: true } } },
];

const MESSAGE: IndexDescription[] = [
  // The first of these that was created gives the order of the original's unsorted query, whose
  // last message has to be the newest.
  { name: CHANNEL_TIME, key: { channelId: 1, localDateTime: 1, userId: 1 } },
  // Time and id order the messages without a number.
  { name: CHANNEL_SEQ, key: { channelId: 1, seq: -1, localDateTime: -1, _id: -1 } },
  { name: CHANNEL_USER, key: { channelId: 1, userId: 1, seq: 1 } },
  // Messages without a type are not in it. Replies are, because older servers know no `$in` here.
  {
    name: FILE_TIME,
    key: { type: 1, localDateTime: 1 },
    partialFilterExpression: { type: { $exists: true } },
  },
  { name: REPLIES, key: { parentId: 1 }, partialFilterExpression: { parentId: { $exists: true } } },
];

const MODERATION: IndexDescription[] = [
  { name: 'subject', key: { subject: 1 } },
  { name: 'ends', key: { ends: 1 } },
];

const SLOW_TURN: IndexDescription[] = [{ name: 'old', key: { at: 1 }, expireAfterSeconds: MAX_SLOW_MODE_SECONDS }];

const MAX_MERGES = 20;

/** Creates the missing indexes. Several servers may do so at the same time. */
export async function ensureIndexes(db: Db): Promise<void> {
  await Promise.all([
    db.collection('event').createIndexes(EVENT),
    db.collection('directMessage').createIndexes(MESSAGE),
    db.collection('channelMessage').createIndexes(MESSAGE),
    db.collection('moderation').createIndexes(MODERATION),
    db.collection('slowTurn').createIndexes(SLOW_TURN),
    ensureOneMarkerPerPlace(db),
  ]);
}

/**
 * The original could store several marker documents for a place. They are merged before the unique
 * index is created.
 */
async function ensureOneMarkerPerPlace(db: Db): Promise<void> {
  const markers = db.collection('messageTime');
  for (let merges = 0; ; merges += 1) {
    try {
      await markers.createIndex({ channelId: 1 }, { name: MARKER_PLACE, unique: true });
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== DUPLICATE_KEY || merges === MAX_MERGES) throw error;
      await mergeMarkers(db);
    }
  }
}

/** Merges the marker documents of each place into one, with the latest time of each user. */
async function mergeMarkers(db: Db): Promise<void> {
  const markers = db.collection<{ channelId: string; read?: Record<string, Date> }>('messageTime');
  const places = markers.aggregate<{ _id: string }>([
    { $group: { _id: '$channelId', n: { $sum: 1 } } },
    { $match: { n: { $gt: 1 } } },
  ]);
  for await (const { _id: channelId } of places) {
    await db.client.withSession((session) =>
      session.withTransaction(async () => {
        const found = await markers.find({ channelId }, { session }).sort({ _id: 1 }).toArray();
        const [kept, ...others] = found;
        if (kept === undefined || others.length === 0) return;
        const latest: Record<string, Date> = {};
        for (const { read } of others) {
          for (const [user, time] of Object.entries(read ?? {})) {
            const field = `read.${user}`;
            if (!(latest[field] && latest[field] > time)) latest[field] = time;
          }
        }
        if (Object.keys(latest).length > 0) await markers.updateOne({ _id: kept._id }, { $max: latest }, { session });
        await markers.deleteMany({ _id: { $in: others.map(({ _id }) => _id) } }, { session });
      }),
    );
  }
}
