import type { Db, IndexDescription } from 'mongodb';

export const PLACE_FIRST = 'place_first';
export const NONCE = 'nonce';
export const LATE = 'late';
export const CHANNEL_SEQ = 'channel_seq';
export const CHANNEL_TIME = 'channel_time';
export const CHANNEL_USER = 'channel_user';

const EVENT: IndexDescription[] = [
  // Decides between writers, and is what positions and replays are read by.
  { name: PLACE_FIRST, key: { p: 1, f: -1 }, unique: true },
  { name: NONCE, key: { n: 1 }, unique: true, partialFilterExpression: { n: { $exists: true } } },
  { name: 'nonce_age', key: { at: -1 }, partialFilterExpression: { n: { $exists: true } } },
  { name: 'unprojected', key: { p: 1, f: 1 }, partialFilterExpression: { proj: true } },
  { name: LATE, key: { late: 1 }, partialFilterExpression: { proj: 'late' } },
  { name: 'unpublished', key: { at: 1 }, partialFilterExpression: { out: true } },
  { name: 'edits', key: { m: 1 }, partialFilterExpression: { m: { $exists: true } } },
];

const MESSAGE: IndexDescription[] = [
  // Time and id put what has no number in order.
  { name: CHANNEL_SEQ, key: { channelId: 1, seq: -1, localDateTime: -1, _id: -1 } },
  { name: CHANNEL_TIME, key: { channelId: 1, localDateTime: 1, userId: 1 } },
  { name: CHANNEL_USER, key: { channelId: 1, userId: 1 } },
];

/** Makes what is missing; several servers may do so at once. */
export async function ensureIndexes(db: Db): Promise<void> {
  await Promise.all([
    db.collection('event').createIndexes(EVENT),
    db.collection('directMessage').createIndexes(MESSAGE),
    db.collection('channelMessage').createIndexes(MESSAGE),
    oneMarkerAPlace(db),
  ]);
}

/** The original could leave several documents of one place: they become one, each user's latest time kept. */
async function oneMarkerAPlace(db: Db): Promise<void> {
  const markers = db.collection('messageTime');
  for (let attempt = 0; ; attempt += 1) {
    try {
      await markers.createIndex({ channelId: 1 }, { name: 'place', unique: true });
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== DUPLICATE || attempt === 20) throw error;
      await mergeDoubles(db);
    }
  }
}

const DUPLICATE = 11000;

async function mergeDoubles(db: Db): Promise<void> {
  const markers = db.collection<{ channelId: string; read?: Record<string, Date> }>('messageTime');
  const doubles = markers.aggregate<{ _id: string }>([
    { $group: { _id: '$channelId', n: { $sum: 1 } } },
    { $match: { n: { $gt: 1 } } },
  ]);
  for await (const { _id: channelId } of doubles) {
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
