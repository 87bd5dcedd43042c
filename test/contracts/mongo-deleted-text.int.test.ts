import { randomBytes } from 'node:crypto';
import { MongoClient, ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { SystemClock } from '../../src/adapters/system/clock.ts';
import { deletedTextContract, type SearchableWorld } from './deleted-text.ts';
import { append, deleted, newId, newPlace, numbered, said } from './world.ts';

interface MongoWorld extends SearchableWorld {
  readonly raw: MongoClient;
  readonly database: string;
}

/** A database whose collections are read by the driver. */
async function mongoWorld(url: string): Promise<MongoWorld> {
  const database = `contract-${randomBytes(6).toString('hex')}`;
  const raw = await new MongoClient(url).connect();
  const opened: { db: MongoDatabase; store: MongoMessageStore }[] = [];
  return {
    raw,
    database,
    async server({ now, idle } = {}) {
      const db = await MongoDatabase.connect(url, { database });
      const store = new MongoMessageStore({ db, now, isBackground: !idle });
      opened.push({ db, store });
      return { store, outbox: new MongoOutbox({ db, now }), markers: new MongoReadMarkers({ db, store }) };
    },
    async occurrences(texts) {
      const collections = await raw.db(database).collections();
      const documents = await Promise.all(collections.map((collection) => collection.find().toArray()));
      const all = JSON.stringify(documents);
      return texts.reduce((sum, text) => sum + all.split(text).length - 1, 0);
    },
    async close() {
      await Promise.all(opened.map(({ store }) => store.close()));
      await raw.db(database).dropDatabase();
      await Promise.all(opened.map(({ db }) => db.close()));
      await raw.close();
    },
  };
}

await describeWithService('mongo', 'MongoDB', ({ mongo }) => {
  deletedTextContract('MongoDB', () => mongoWorld(mongo), new SystemClock());

  it('removes a deleted message also from replies that the original server stored', async () => {
    const world = await mongoWorld(mongo);
    try {
      const place = newPlace();
      const channelId = Number(place.slice(2));
      const texts = world.raw.db(world.database).collection('directMessage');
      const [parent, first, second] = [newId(), newId(), newId()];
      const common = { channelId, userId: 1, name: 'Ada', type: 'reply', parentName: 'Bo' };
      const time = (n: number) => new Date(n);
      const copied = { ...common, content: 'kept', parentContent: 'legacy-secret' };
      await texts.insertMany([
        {
          _id: new ObjectId(parent),
          channelId,
          userId: 1,
          name: 'Bo',
          content: 'legacy-secret',
          localDateTime: time(1),
        },
        { _id: new ObjectId(first), ...copied, parentId: new ObjectId(parent), localDateTime: time(2) },
      ]);
      const { store } = await world.server();
      expect((await store.newest([place])).get(place)).toBe(2);
      // The original stores another reply, which has no number.
      await texts.insertOne({ _id: new ObjectId(second), ...copied, parentId: parent, localDateTime: time(3) });
      expect(await world.occurrences(['legacy-secret'])).toBeGreaterThan(3);
      const message = { ...said(place, 'legacy-secret', { id: parent }) };
      await append(store, 3, [deleted(message)]);
      const page = await store.history(place, { kind: 'page', page: 0, size: 9 });
      expect(page.entries.map(({ message, parent }) => [message.content, parent])).toEqual([
        ['kept', null],
        ['kept', null],
      ]);
      expect(await store.eventsAfter(place, 2, 9)).toEqual(numbered(3, [deleted(message)]));
      expect(await world.occurrences(['legacy-secret'])).toBe(0);
    } finally {
      await world.close();
    }
  });

  it('replays a reply of the original server without its parent if the original deleted the parent', async () => {
    const world = await mongoWorld(mongo);
    try {
      const place = newPlace('c');
      const [parent, gone] = [new ObjectId(), new ObjectId()];
      const common = { channelId: Number(place.slice(2)), userId: 1, name: 'Ada', content: 'kept' };
      const quote = { type: 'reply', parentName: 'Bo', parentContent: 'a copy' };
      await world.raw
        .db(world.database)
        .collection('channelMessage')
        .insertMany([
          { _id: parent, ...common, localDateTime: new Date(1) },
          { _id: new ObjectId(), ...common, ...quote, parentId: parent.toHexString(), localDateTime: new Date(2) },
          { _id: new ObjectId(), ...common, ...quote, parentId: gone, localDateTime: new Date(3) },
        ]);
      const { store } = await world.server();
      expect((await store.newest([place])).get(place)).toBe(3);
      expect(await store.eventsAfter(place, 1, 9)).toMatchObject([
        { kind: 'reply', parentId: parent.toHexString(), parentName: 'Bo', parentContent: 'a copy' },
        { kind: 'reply', parentId: gone.toHexString(), parentName: '', parentContent: null },
      ]);
    } finally {
      await world.close();
    }
  });
});
