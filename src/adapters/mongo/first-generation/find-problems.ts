import type { Db } from 'mongodb';
import { clientOf, databaseNameOf, refuseStandalone } from '../database.ts';
import { CHANNEL_SEQ, CHANNEL_TIME } from '../indexes.ts';

/** One kind of problem, or of work that is left, in the collections of an original server. */
export interface MigrationFinding {
  /** In the plural, as in `messages without a place`. */
  readonly what: string;
  readonly count: number;
  /** What the operator can do, or what these servers do about it. */
  readonly remedy: string;
  /** False: nothing has to be done. */
  readonly isProblem: boolean;
}

const MESSAGES = ['directMessage', 'channelMessage'] as const;

/**
 * Reads the collections of an original server, and counts what will be a problem or is left to be
 * numbered. Changes nothing. It reads each message once, so it takes minutes on large collections.
 * @throws Error with a human-readable message if no primary answers within 3 s, or if the server is
 * not a replica set
 */
export async function findProblems(url: string): Promise<MigrationFinding[]> {
  await using client = clientOf(url);
  await client.connect();
  await refuseStandalone(client);
  const db = client.db(databaseNameOf(url));
  const findings = [await doubleMarkers(db)];
  for (const name of MESSAGES) findings.push(...(await inMessages(db, name)));
  findings.push(await wrongIndexOrder(db));
  return findings.filter(({ count }) => count > 0);
}

async function doubleMarkers(db: Db): Promise<MigrationFinding> {
  const [row] = await db
    .collection('messageTime')
    .aggregate<{ n: number }>(
      [{ $group: { _id: '$channelId', n: { $sum: 1 } } }, { $match: { n: { $gt: 1 } } }, { $count: 'n' }],
      { allowDiskUse: true },
    )
    .toArray();
  return {
    what: 'places with several read markers (messageTime)',
    count: row?.n ?? 0,
    remedy: 'the first start merges them; the original then gets E11000 in its log where it would make another one',
    isProblem: false,
  };
}

async function inMessages(db: Db, name: (typeof MESSAGES)[number]): Promise<MigrationFinding[]> {
  const count = (when: object) => ({ $sum: { $cond: [when, 1, 0] } });
  const isMissing = (field: string) => ({ $lte: [field, null] });
  const isPicture = { $in: ['$type', ['image', 'video']] };
  const [row] = await db
    .collection(name)
    .aggregate<Record<'placeless' | 'timeless' | 'bare' | 'unnumbered', number>>([
      {
        $group: {
          _id: null,
          placeless: count(isMissing('$channelId')),
          timeless: count(isMissing('$localDateTime')),
          bare: count({ $and: [isPicture, isMissing('$thumbnail')] }),
          unnumbered: count(isMissing('$seq')),
        },
      },
    ])
    .toArray();
  const of = (what: string, counted: number | undefined, remedy: string, isProblem = true) => ({
    what: `${what} in ${name}`,
    count: counted ?? 0,
    remedy,
    isProblem,
  });
  return [
    of('messages without a place', row?.placeless, 'no server shows them; remove them, or set channelId'),
    of(
      'messages without a time',
      row?.timeless,
      'they are numbered first in their place, as of 1970; set localDateTime',
    ),
    of(
      'pictures and videos without a thumbnail',
      row?.bare,
      'the phone client of the original needs one; set thumbnail',
    ),
    of(
      'messages without a number',
      row?.unnumbered,
      'numbered when their place is read, or by `migrate --number`',
      false,
    ),
  ];
}

/** The original takes the last message of an unsorted query as the newest. */
async function wrongIndexOrder(db: Db): Promise<MigrationFinding> {
  let count = 0;
  for (const name of MESSAGES) {
    const indexes = await db
      .collection(name)
      .indexes()
      .catch(() => []);
    const names = indexes.map((index) => index.name);
    const [time, seq] = [names.indexOf(CHANNEL_TIME), names.indexOf(CHANNEL_SEQ)];
    if (seq >= 0 && (time < 0 || seq < time)) count += 1;
  }
  return {
    what: `collections whose index ${CHANNEL_SEQ} is older than ${CHANNEL_TIME}`,
    count,
    remedy: `the original sorts its list of rooms by an old message; drop ${CHANNEL_SEQ} while no server of this version runs, the next start makes it again`,
    isProblem: true,
  };
}
