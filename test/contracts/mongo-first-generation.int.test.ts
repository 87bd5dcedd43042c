import { randomBytes } from 'node:crypto';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withDatabase } from '../../dev/cluster/services.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { ChangeOverMark } from '../../src/adapters/mongo/change-over-mark.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { findProblems } from '../../src/adapters/mongo/first-generation/find-problems.ts';
import { ensureAdoptionIndexes } from '../../src/adapters/mongo/first-generation/indexes.ts';
import { loggedMessages } from '../../src/adapters/mongo/first-generation/logged-messages.ts';
import { numberPlaces } from '../../src/adapters/mongo/first-generation/number-places.ts';
import { MongoOriginalEvents } from '../../src/adapters/mongo/first-generation/original-events.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { SystemIdSource } from '../../src/adapters/system/id-source.ts';
import type { OriginalChange } from '../../src/application/ports/original-events.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import { OriginalServer } from '../support/original-server.ts';
import { append, deleted, known, newPlace, said, shared } from './world.ts';

await describeWithService('mongo', 'MongoDB beside an original server', ({ mongo }) => {
  const client = new MongoClient(mongo);
  const ids = new SystemIdSource();
  let database: string;
  let original: OriginalServer;
  const open: { db: MongoDatabase; store: MongoMessageStore }[] = [];

  const server = async () => {
    const db = await MongoDatabase.connect(mongo, { database, prepare: ensureAdoptionIndexes });
    await new ChangeOverMark(db).set();
    const store: MongoMessageStore = new MongoMessageStore({ db, look: (places) => originals.look(places) });
    const originals: MongoOriginalEvents = new MongoOriginalEvents({ db, store });
    open.push({ db, store });
    return { db, store, originals };
  };
  const change = (kind: 'modify' | 'delete', place: ConversationKey, id: string, content = ''): OriginalChange => {
    const common = { place, id, userId: 1, time: 0, nonce: null, communityId: null };
    const event = kind === 'modify' ? ({ kind, ...common, content } as const) : ({ kind, ...common } as const);
    return { event, timestamp: 1_795_362_752_624 };
  };
  const eventsOf = async (store: MongoMessageStore, place: ConversationKey) =>
    known(await store.eventsAfter(place, 0, 500)).map((event) => [
      event.seq,
      event.kind,
      event.kind === 'delete' ? event.id : event.content,
    ]);

  beforeAll(() => client.connect());
  beforeEach(async () => {
    database = `first-${randomBytes(6).toString('hex')}`;
    original = await OriginalServer.start({ mongo, database, kafka: null });
  });
  afterEach(async () => {
    await original.stop();
    await Promise.all(open.map(({ store }) => store.close()));
    await Promise.all(open.splice(0).map(({ db }) => db.close()));
    await client.db(database).dropDatabase();
  });
  afterAll(() => client.close());

  it('gives a message of the original the next number once, although two servers take it at the same time', async () => {
    const place = newPlace();
    const [one, two] = [await server(), await server()];
    await append(one.store, 1, [said(place, 'ours')]);
    for (let i = 0; i < 10; i += 1) {
      await original.send(place, 2, `theirs ${i}`);
      await Promise.all([one.originals.number(place), two.originals.number(place)]);
    }
    const expected = [
      [1, 'message', 'ours'],
      ...Array.from({ length: 10 }, (_, i) => [i + 2, 'message', `theirs ${i}`]),
    ];
    expect(await eventsOf(one.store, place)).toEqual(expected);
    expect(await eventsOf(two.store, place)).toEqual(expected);
    const page = await one.store.history(place, { kind: 'page', page: 0, size: 50 });
    expect(page.entries.map(({ message }) => message.seq)).toEqual(expected.map(([seq]) => seq));
  });

  it('numbers messages while other servers append to the same place', async () => {
    const place = newPlace();
    const [one, two] = [await server(), await server()];
    let isOver = false;
    const appending = (async () => {
      for (let i = 0; !isOver; i += 1) {
        const newest = (await two.store.newest([place])).get(place) ?? 0;
        await append(two.store, newest + 1, [said(place, `ours ${i}`)]);
      }
    })();
    for (let i = 0; i < 15; i += 1) {
      await original.send(place, 2, `theirs ${i}`);
      await one.originals.number(place);
    }
    isOver = true;
    await appending;
    const events = await eventsOf(one.store, place);
    expect(events.map(([seq]) => seq)).toEqual(events.map((_, i) => i + 1));
    const theirs = events.map(([, , content]) => String(content)).filter((content) => content.startsWith('theirs'));
    expect(theirs).toEqual(Array.from({ length: 15 }, (_, i) => `theirs ${i}`));
  });

  it('numbers what was written while no server ran, also in a place with events, when it is read', async () => {
    const place = newPlace();
    const first = await server();
    await append(first.store, 1, [said(place, 'ours')]);
    await first.store.settle(await first.store.newest([place]));
    const id = await original.send(place, 2, 'theirs');
    await original.send(place, 2, 'theirs too');
    await original.edit(place, id, 'theirs, edited');
    const next = await server();
    expect((await next.store.newest([place])).get(place)).toBe(3);
    expect(await eventsOf(next.store, place)).toEqual([
      [1, 'message', 'ours'],
      [2, 'message', 'theirs, edited'],
      [3, 'message', 'theirs too'],
    ]);
  });

  it('restores number and nonce of a message that the original edits, and stores the edit once', async () => {
    const place = newPlace();
    const [one, two] = [await server(), await server()];
    const ours = said(place, 'ours', { id: ids.messageId(), nonce: 'n-1' });
    await append(one.store, 1, [ours]);
    await one.store.settle(await one.store.newest([place]));
    await original.edit(place, ours.id, 'changed');
    const record = change('modify', place, ours.id, 'changed');
    for (const { originals } of [one, two]) await originals.number(place);
    await Promise.all([one.originals.adopt(record), two.originals.adopt(record)]);
    expect(await eventsOf(two.store, place)).toEqual([
      [1, 'message', 'ours'],
      [2, 'modify', 'changed'],
    ]);
    const message = (await one.store.messages(place, [ours.id])).get(ours.id);
    expect(message).toMatchObject({ seq: 1, nonce: 'n-1', edited: true, content: 'changed' });
  });

  it('takes a new file with the name in its record, because its document has none', async () => {
    const place = newPlace();
    const { store, originals } = await server();
    await append(store, 1, [said(place, 'ours')]);
    const id = await original.share(place, 2, 'http://bucket/cat.png', 'http://bucket/t.png');
    await originals.number(place);
    expect(await eventsOf(store, place)).toHaveLength(1);
    await originals.number(place, new Map([[id, { name: 'user2', profileImage: 'http://img/2.png' }]]));
    expect(known(await store.eventsAfter(place, 1, 10))).toMatchObject([
      { seq: 2, kind: 'file', id, name: 'user2', profileImage: 'http://img/2.png', content: 'http://bucket/cat.png' },
    ]);
  });

  it('looks into many places by one query, and numbers at most eight of them at a time', async () => {
    const { db, store } = await server();
    const places = Array.from({ length: 15 }, () => newPlace());
    for (const place of places) {
      await append(store, 1, [said(place, 'ours')]);
      await store.settle(await store.newest([place]));
      if (places.indexOf(place) < 10) await original.send(place, 2, 'theirs');
    }
    const found = { number: 0, most: 0, settled: new Set<ConversationKey>() };
    const settle = async (ends: ReadonlyMap<ConversationKey, number>) => {
      for (const place of ends.keys()) found.settled.add(place);
      found.number += 1;
      found.most = Math.max(found.most, found.number);
      await store.settle(ends);
      found.number -= 1;
    };
    const originals = new MongoOriginalEvents({ db, store: { newest: (some) => store.newest(some), settle } });
    expect(await originals.look(places)).toBe(true);
    expect(found).toMatchObject({ number: 0, settled: new Set(places.slice(0, 10)) });
    expect(found.most).toBeLessThanOrEqual(8);
    expect(await originals.look(places)).toBe(false);
    for (const place of places.slice(0, 10))
      expect((await eventsOf(store, place)).at(-1)).toEqual([2, 'message', 'theirs']);
  });

  it('asks to come back in some seconds while a large place is being numbered, and goes on with it', async () => {
    const { db, store } = await server();
    const place = newPlace();
    await append(store, 1, [said(place, 'ours')]);
    await store.settle(await store.newest([place]));
    await original.send(place, 2, 'theirs');
    const large = Promise.withResolvers<void>();
    const settle = async (ends: ReadonlyMap<ConversationKey, number>) => {
      await large.promise;
      await store.settle(ends);
    };
    const originals = new MongoOriginalEvents({ db, store: { newest: (some) => store.newest(some), settle } });
    await expect(originals.look([place])).rejects.toMatchObject({
      code: 'try-again',
      message: expect.stringContaining('being numbered'),
    });
    large.resolve();
    expect(await originals.look([place])).toBe(true);
    expect((await eventsOf(store, place)).at(-1)).toEqual([2, 'message', 'theirs']);
  });

  it('finds the events of a message by an index, which the end of the change removes', async () => {
    const place = newPlace();
    const { db, store } = await server();
    const old = said(place, 'old', { id: ids.messageId() });
    await append(store, 1, [old]);
    for (let seq = 2; seq < 12; seq += 1) await append(store, seq, [said(place, 'new', { id: ids.messageId() })]);
    const examined = async () => {
      const cursor = db.events.find({ p: place, 'e.id': { $in: [old.id] } });
      return (await cursor.explain('executionStats')).executionStats.totalDocsExamined as number;
    };
    expect(await examined()).toBe(1);
    await numberPlaces({ url: withDatabase(mongo, database), fileLink: null, isBefore: false, onProgress: () => {} });
    expect(await examined()).toBe(11);
    expect((await loggedMessages(db, place, [old.id])).get(old.id)).toMatchObject({ seq: 1, content: 'old' });
  });

  it('stores an edit that the original made while no server ran', async () => {
    const place = newPlace();
    const first = await server();
    const ours = said(place, 'ours', { id: ids.messageId() });
    await append(first.store, 1, [ours]);
    await first.store.settle(await first.store.newest([place]));
    await original.edit(place, ours.id, 'changed');
    const [one, two] = [await server(), await server()];
    await Promise.all([one.store.newest([place]), two.store.newest([place])]);
    expect(await eventsOf(one.store, place)).toEqual([
      [1, 'message', 'ours'],
      [2, 'modify', 'changed'],
    ]);
  });

  it('stores a deletion by the original once, counts the hole and removes the text from the log', async () => {
    const place = newPlace();
    const [one, two] = [await server(), await server()];
    const ours = said(place, 'secret', { id: ids.messageId() });
    await append(one.store, 1, [ours, said(place, 'stays')]);
    await one.store.settle(await one.store.newest([place]));
    await original.remove(place, ours.id);
    const record = change('delete', place, ours.id);
    const returned = await Promise.all([one.originals.adopt(record), two.originals.adopt(record)]);
    expect(returned.filter((message) => message !== null)).toMatchObject([{ id: ours.id, seq: 1 }]);
    expect(await eventsOf(two.store, place)).toEqual([
      [1, 'message', ''],
      [2, 'message', 'stays'],
      [3, 'delete', ours.id],
    ]);
    expect(await client.db(database).collection('event').find({ 'e.content': 'secret' }).toArray()).toEqual([]);
    const [counted] = await new MongoReadMarkers({ db: one.db, store: one.store }).unread(2, [place]);
    expect(counted?.count).toBe(1);
  });

  it('removes the text of a message that the original saved again and a server of ours deletes', async () => {
    const place = newPlace();
    const { store } = await server();
    const ours = said(place, 'secret', { id: ids.messageId() });
    await append(store, 1, [ours]);
    await store.settle(await store.newest([place]));
    await original.edit(place, ours.id, 'secret');
    await append(store, 2, [deleted(ours)]);
    await store.settle(await store.newest([place]));
    expect(await client.db(database).collection('event').find({ 'e.content': 'secret' }).toArray()).toEqual([]);
    expect(await client.db(database).collection('eventHole').findOne({})).toMatchObject({ t: 2 });
  });

  it('takes an edit that no record told with the next message of the place', async () => {
    const place = newPlace();
    const { store, originals } = await server();
    const id = await original.send(place, 2, 'first');
    await originals.number(place);
    await original.edit(place, id, 'first, edited');
    await original.send(place, 2, 'second');
    await originals.number(place);
    expect((await eventsOf(store, place)).map(([, kind, content]) => [kind, content])).toEqual([
      ['message', 'first'],
      ['modify', 'first, edited'],
      ['message', 'second'],
    ]);
  });

  it('ignores the record of an edit after which the message was edited again', async () => {
    const place = newPlace();
    const { store, originals } = await server();
    const id = await original.send(place, 2, 'a');
    await originals.number(place);
    await original.edit(place, id, 'b');
    await original.edit(place, id, 'c');
    for (const content of ['b', 'c']) await originals.adopt(change('modify', place, id, content));
    expect((await eventsOf(store, place)).map(([, , content]) => content)).toEqual(['a', 'c']);
  });

  it('restores the keys of a file that the original saves again', async () => {
    const place = newPlace();
    const { store, originals } = await server();
    const file = shared(place, 'key', { id: ids.messageId() });
    await append(store, 1, [file]);
    await store.settle(await store.newest([place]));
    await original.edit(place, file.id, 'https://chat.example.com/files/key');
    await originals.number(place);
    const message = (await store.messages(place, [file.id])).get(file.id);
    expect(message).toMatchObject({ seq: 1, content: 'key', thumbnail: 'thumb', edited: false });
    expect(await eventsOf(store, place)).toEqual([[1, 'file', 'key']]);
  });

  it('ignores a change of a message that the log does not have, and a second deletion', async () => {
    const place = newPlace();
    const { store, originals } = await server();
    const id = await original.send(place, 2, 'short');
    await original.remove(place, id);
    expect(await originals.adopt(change('delete', place, id))).toBeNull();
    expect(await originals.adopt(change('modify', place, id, 'x'))).toBeNull();
    expect(await eventsOf(store, place)).toEqual([]);
  });

  it('keeps equal edits apart by the times of their records', async () => {
    const place = newPlace();
    const { store, originals } = await server();
    const id = await original.send(place, 2, 'a');
    await originals.number(place);
    for (const [i, content] of ['b', 'a', 'b'].entries()) {
      await original.edit(place, id, content);
      const record = change('modify', place, id, content);
      for (let time = 0; time < 2; time += 1) {
        await originals.number(place);
        await originals.adopt({ ...record, timestamp: record.timestamp + i });
      }
    }
    expect((await eventsOf(store, place)).map(([, , content]) => content)).toEqual(['a', 'b', 'a', 'b']);
  });

  describe('the change-over', () => {
    const url = () => withDatabase(mongo, database);
    const what = async () => (await findProblems(url())).map((finding) => [finding.count, finding.what]);
    const number = (isBefore = false) => numberPlaces({ url: url(), fileLink: null, isBefore, onProgress: () => {} });
    const raw = (name: string) => client.db(database).collection(name);

    it('numbers all places, also after it was interrupted, and removes the mark of the change', async () => {
      const places = [newPlace(), newPlace(), newPlace()];
      const first = await server();
      await append(first.store, 1, [said(places[0] ?? 'r-1', 'ours', { id: ids.messageId() })]);
      const seen = await original.send(places[0] ?? 'r-1', 2, 'seen');
      await first.originals.number(places[0] ?? 'r-1');
      await original.remove(places[0] ?? 'r-1', seen);
      for (const place of places) for (let i = 0; i < 3; i += 1) await original.send(place, 2, `theirs ${i}`);
      expect(await new ChangeOverMark(first.db).since()).toBeInstanceOf(Date);
      expect(await what()).toEqual([[9, 'messages without a number in directMessage']]);
      expect(await number(true)).toEqual({ places: 3, events: 10 });
      expect(await new ChangeOverMark(first.db).since()).toBeInstanceOf(Date);
      expect(await number()).toEqual({ places: 3, events: 0 });
      expect(await what()).toEqual([]);
      expect(await new ChangeOverMark(first.db).since()).toBeNull();
      expect(await eventsOf(first.store, places[0] ?? 'r-1')).toEqual([
        [1, 'message', 'ours'],
        [2, 'message', ''],
        [3, 'message', 'theirs 0'],
        [4, 'message', 'theirs 1'],
        [5, 'message', 'theirs 2'],
        [6, 'delete', seen],
      ]);
    });

    it('deletes no message that a server stores meanwhile, or whose batch was set aside', async () => {
      const place = newPlace();
      const { db, store } = await server();
      await append(store, 1, [said(place, 'set aside', { id: ids.messageId() })]);
      await store.settle(await store.newest([place]));
      await db.events.updateOne({ p: place, f: 1 }, { $set: { failed: 'a reason' } });
      await raw('directMessage').deleteMany({});
      let isOver = false;
      const appending = (async () => {
        for (let seq = 2; !isOver; seq += 1) await append(store, seq, [said(place, 'new', { id: ids.messageId() })]);
      })();
      for (let i = 0; i < 5; i += 1) await number();
      isOver = true;
      await appending;
      expect(
        (await eventsOf(store, place)).filter(([, kind, content]) => kind !== 'message' || content === ''),
      ).toEqual([]);
    });

    it('lists what will be a problem, and changes nothing', async () => {
      const place = newPlace();
      const id = await original.send(place, 2, 'without a place');
      await raw('directMessage').updateOne({ _id: new ObjectId(id) }, { $unset: { channelId: '', localDateTime: '' } });
      await raw('channelMessage').insertOne({ channelId: 11, type: 'image', localDateTime: new Date(), content: 'x' });
      await raw('messageTime').insertMany([{ channelId: place }, { channelId: place }]);
      const collections = async () =>
        (await client.db(database).collections()).map(({ collectionName }) => collectionName);
      const before = await collections();
      expect(await what()).toEqual([
        [1, 'places with several read markers (messageTime)'],
        [1, 'messages without a place in directMessage'],
        [1, 'messages without a time in directMessage'],
        [1, 'messages without a number in directMessage'],
        [1, 'pictures and videos without a thumbnail in channelMessage'],
        [1, 'messages without a number in channelMessage'],
      ]);
      expect(await collections()).toEqual(before);
    });

    it('names indexes that give the original an old message as the newest, and makes new ones in order', async () => {
      await server();
      expect(await what()).toEqual([]);
      await raw('directMessage').dropIndex('channel_time');
      await raw('directMessage').createIndex({ channelId: 1, localDateTime: 1, userId: 1 }, { name: 'channel_time' });
      expect(await what()).toEqual([[1, 'collections whose index channel_seq is older than channel_time']]);
    });
  });
});
