import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { type EventDocument, eventDocument } from '../../src/adapters/mongo/documents.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import {
  type NewerBatch,
  type NewerEvent,
  reaction,
  type UpgradingWorld,
  unknownKindsContract,
} from './unknown-kinds.ts';
import { append, deleted, newPlace, newUser, said, shared } from './world.ts';

interface MongoWorld extends UpgradingWorld {
  readonly db: MongoDatabase;
}

async function mongoWorld(url: string): Promise<MongoWorld> {
  const database = `unknown-${randomBytes(6).toString('hex')}`;
  const db = await MongoDatabase.connect(url, { database });
  const opened: { db: MongoDatabase; store: MongoMessageStore }[] = [];
  return {
    db,
    async server({ now, idle } = {}) {
      const own = await MongoDatabase.connect(url, { database });
      const store = new MongoMessageStore({ db: own, now, isBackground: !idle });
      opened.push({ db: own, store });
      return { store, outbox: new MongoOutbox({ db: own, now }), markers: new MongoReadMarkers({ db: own, store }) };
    },
    newerServerAppends: async (batch) => {
      await db.events.insertOne(newerDocument(batch));
    },
    unpublishedOf: async (place) => {
      const docs = await db.events.find({ p: place, out: true }).sort({ f: 1 }).toArray();
      return docs.map(({ f }) => f);
    },
    async close() {
      await Promise.all(opened.map(({ store }) => store.close()));
      await db.client.db(database).dropDatabase();
      await Promise.all([db, ...opened.map((one) => one.db)].map((each) => each.close()));
    },
  };
}

/** The document that the newer version inserts. */
function newerDocument({ place, first, drafts, unknown, at = Date.now() }: NewerBatch): EventDocument {
  const doc = eventDocument(place, first, drafts, at);
  const bodies = unknown.map((event) =>
    Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null)),
  );
  const nonces = unknown.flatMap(({ userId, nonce }) => (nonce === null ? [] : [`${userId}:${nonce}`]));
  const n = [...(doc.n ?? []), ...nonces];
  return {
    ...doc,
    l: first + drafts.length + unknown.length - 1,
    ...(n.length > 0 && { n }),
    e: [...doc.e, ...bodies.map((body) => ({ ...body, kind: String(body.kind) }))],
  };
}

await describeWithService('mongo', 'MongoDB', ({ mongo }) => {
  unknownKindsContract('MongoDB', () => mongoWorld(mongo));

  let world: MongoWorld;
  beforeAll(async () => {
    world = await mongoWorld(mongo);
  });
  afterAll(() => world.close());

  const marks = async (place: ConversationKey) => {
    const docs = await world.db.events.find({ p: place }).sort({ f: 1 }).toArray();
    return docs.map(({ proj, late }) => [proj ?? null, late ?? null]);
  };

  /**
   * The place's events of kind `from` become events of kind `to`, as if this version now knew the
   * kind.
   */
  const learnKind = async (place: ConversationKey, from: string, to: string) => {
    const update = { $set: { 'e.$[of].kind': to, 'late.$[kind]': to } };
    const arrayFilters = [{ 'of.kind': from }, { kind: from }];
    await world.db.events.updateMany({ p: place, late: from }, update, { arrayFilters });
  };

  it('leaves an event of an unknown kind due and projects everything else of its batch and place', async () => {
    const place = newPlace();
    const [one, two] = [said(place, 'one'), said(place, 'two')];
    await world.newerServerAppends({ place, first: 1, drafts: [one], unknown: [reaction(one), reaction(one)] });
    await world.newerServerAppends({ place, first: 4, drafts: [], unknown: [reaction(one, { kind: 'newer-pin' })] });
    const { store } = await world.server({ idle: true });
    await append(store, 5, [two]);
    const { entries } = await store.history(place, { kind: 'page', page: 0, size: 9 });
    expect(entries.map(({ message }) => message.content)).toEqual(['one', 'two']);
    const due = [
      ['late', ['newer-reaction']],
      ['late', ['newer-pin']],
      [null, null],
    ];
    expect(await marks(place)).toEqual(due);
    // A server in the background finds nothing to do there.
    const { store: other } = await world.server();
    await append(other, 6, [deleted(two)]);
    await expect.poll(async () => (await marks(place))[3]).toEqual([null, null]);
    expect((await marks(place)).slice(0, 3)).toEqual(due);
  });

  it('projects an event later on a server that knows its kind, and keeps kinds due that are still unknown', async () => {
    const place = newPlace();
    const one = said(place, 'one');
    const { kind: _, ...file } = shared(place, 'key/2');
    const unknown: NewerEvent[] = [
      { ...file, kind: 'newer-album' },
      reaction(one),
      reaction(one, { kind: 'newer-rephrase', content: 'changed' }),
    ];
    await world.newerServerAppends({ place, first: 1, drafts: [one], unknown });
    const old = await world.server({ idle: true });
    const reader = newUser();
    const count = async () => (await old.markers.unread(reader, [place]))[0]?.count;
    const shown = async () => {
      const { entries } = await old.store.history(place, { kind: 'page', page: 0, size: 9 });
      return entries.map(({ message }) => [message.seq, message.content, message.edited]);
    };
    expect(await shown()).toEqual([[1, 'one', false]]);
    expect(await count()).toBe(1);
    expect(await marks(place)).toEqual([['late', ['newer-album', 'newer-reaction', 'newer-rephrase']]]);

    await learnKind(place, 'newer-album', 'file');
    await learnKind(place, 'newer-rephrase', 'modify');
    await world.server();
    await expect.poll(() => marks(place), { timeout: 10_000 }).toEqual([['late', ['newer-reaction']]]);
    expect(await shown()).toEqual([
      [1, 'changed', true],
      [2, 'key/2', false],
    ]);
    expect(await count()).toBe(2);

    await learnKind(place, 'newer-reaction', 'delete');
    await expect.poll(() => marks(place), { timeout: 10_000 }).toEqual([[null, null]]);
    expect(await shown()).toEqual([[2, 'key/2', false]]);
    expect(await count()).toBe(1);
  });

  it('keeps the fields of an event of an unknown kind when the message is deleted, but for its texts', async () => {
    const place = newPlace();
    const one = said(place, 'one');
    const unknown = [reaction(one), reaction(one, { content: 'a copy of the text', thumbnail: 'key' })];
    await world.newerServerAppends({ place, first: 1, drafts: [one], unknown });
    const { store } = await world.server({ idle: true });
    await append(store, 4, [deleted(one)]);
    await store.history(place, { kind: 'page', page: 0, size: 9 });
    const doc = await world.db.events.findOne({ p: place, f: 1 });
    expect(doc?.e).toMatchObject([{ content: '' }, { emoji: '+1' }, { emoji: '+1', content: '', thumbnail: '' }]);
    expect(doc?.e[1]).not.toHaveProperty('content');
    expect(doc?.e[1]).not.toHaveProperty('thumbnail');
  });
});
