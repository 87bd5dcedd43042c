import { randomBytes } from 'node:crypto';
import { Long, MongoClient, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { Unread } from '../../src/adapters/mongo/unread.ts';
import { append, deleted, edited, known, newPlace, said } from './world.ts';

const T0 = 1_795_362_752_624;

await describeWithService('mongo', 'MongoDB with messages of an original server', ({ mongo }) => {
  const client = new MongoClient(mongo);
  let name: string;
  const open: MongoDatabase[] = [];
  const server = async (isBackground = true) => {
    const db = await MongoDatabase.connect(mongo, { database: name });
    open.push(db);
    return new MongoMessageStore({ db, isBackground });
  };
  beforeAll(() => client.connect());
  beforeEach(() => {
    name = `legacy-${randomBytes(6).toString('hex')}`;
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((db) => db.close()));
    await client.db(name).dropDatabase();
  });
  afterAll(() => client.close());

  const original = (place: string, i: number, more: object = {}) => ({
    _id: new ObjectId(),
    channelId: Long.fromString(place.slice(2)),
    userId: Long.fromNumber(1 + (i % 2)),
    content: `m${i}`,
    localDateTime: new Date(T0 + i * 1000),
    name: 'user1',
    profileImage: 'p',
    ...more,
    _class: 'com.example.chatserver.domain.DirectMessage',
  });

  it('numbers the messages by time and id, as creating events, and keeps their types', async () => {
    const place = newPlace();
    const parent = original(place, 3);
    const reply = original(place, 4, { type: 'reply', parentId: parent._id.toHexString() });
    const file = { ...original(place, 1, { content: 'http://x/cat.png', thumbnail: 'http://x/t.png', type: 'image' }) };
    const { name: _n, profileImage: _p, ...bare } = file;
    const byObjectId = original(place, 5, { type: 'reply', parentId: parent._id, content: null });
    await client.db(name).collection('directMessage').insertMany([reply, parent, bare, byObjectId]);
    const store = await server();
    expect((await store.newest([place, newPlace()])).get(place)).toBe(4);
    const events = known(await store.eventsAfter(place, 0, 10));
    expect(events.map((event) => [event.kind, event.seq, event.id])).toEqual([
      ['file', 1, bare._id.toHexString()],
      ['message', 2, parent._id.toHexString()],
      ['reply', 3, reply._id.toHexString()],
      ['reply', 4, byObjectId._id.toHexString()],
    ]);
    expect(events[0]).toMatchObject({
      content: 'http://x/cat.png',
      thumbnail: 'http://x/t.png',
      name: '',
      time: T0 + 1000,
    });
    const page = await store.history(place, { kind: 'page', page: 0, size: 10 });
    expect(page.seq).toBe(4);
    expect(page.entries.map(({ message, parent: p }) => [message.seq, message.name, p?.content])).toEqual([
      [1, null, undefined],
      [2, 'user1', undefined],
      [3, 'user1', 'm3'],
      [4, 'user1', 'm3'],
    ]);
    const kept = await client
      .db(name)
      .collection('directMessage')
      .findOne({ _id: parent._id }, { promoteLongs: false });
    expect(kept).toMatchObject({ _class: 'com.example.chatserver.domain.DirectMessage', content: 'm3' });
    expect(kept?.channelId).toBeInstanceOf(Long);
  });

  it.each([
    [
      'history',
      (store: MongoMessageStore, place: ReturnType<typeof newPlace>) =>
        store.history(place, { kind: 'after', seq: 0, size: 9 }).then((page) => page.entries.map((e) => e.message.seq)),
    ],
    [
      'eventsAfter',
      (store: MongoMessageStore, place: ReturnType<typeof newPlace>) =>
        store.eventsAfter(place, 0, 9).then((events) => events.map((event) => event.seq)),
    ],
    [
      'newest',
      (store: MongoMessageStore, place: ReturnType<typeof newPlace>) =>
        store.newest([place]).then((newest) => Array.from({ length: newest.get(place) ?? 0 }, (_, i) => i + 1)),
    ],
    [
      'append',
      async (store: MongoMessageStore, place: ReturnType<typeof newPlace>) => {
        expect((await append(store, 1, [said(place, 'x')])).kind).toBe('conflict');
        return [(await append(store, 3, [said(place, 'x')])).kind === 'stored' ? 1 : 0, 2];
      },
    ],
  ])('numbers a place when the first call is %s', async (_, touch) => {
    const place = newPlace('c');
    const docs = [1, 2].map((i) => ({ ...original(place, i), communityId: Long.fromNumber(1) }));
    await client.db(name).collection('channelMessage').insertMany(docs);
    expect(await touch(await server(), place)).toEqual([1, 2]);
  });

  it('numbers a large room once when several servers begin at the same time', { timeout: 60_000 }, async () => {
    const place = newPlace();
    const docs = Array.from({ length: 1701 }, (_, i) => original(place, Math.floor(i / 3)));
    await client.db(name).collection('directMessage').insertMany(docs);
    const servers = await Promise.all([server(), server(), server(false)]);
    // On a slow machine the numbering takes longer than a caller waits.
    const newestOf = (store: MongoMessageStore) => vi.waitFor(() => store.newest([place]), 30_000);
    const newest = await Promise.all(servers.map(newestOf));
    expect(newest.map((one) => one.get(place))).toEqual([1701, 1701, 1701]);
    const events = known(await (await server()).eventsAfter(place, 0, 5000));
    expect(events.map((event) => event.seq)).toEqual(docs.map((_, i) => i + 1));
    const inOrder = [...docs].sort(
      (a, b) =>
        a.localDateTime.getTime() - b.localDateTime.getTime() || (a._id.toHexString() < b._id.toHexString() ? -1 : 1),
    );
    expect(events.map((event) => event.id)).toEqual(inOrder.map((doc) => doc._id.toHexString()));
    const stored = await client.db(name).collection('directMessage').find().toArray();
    const bySeq = new Map(events.map((event) => [event.id, event.seq]));
    expect(stored.every((doc) => doc.seq === bySeq.get(String(doc._id)))).toBe(true);
    expect(
      await client
        .db(name)
        .collection('event')
        .countDocuments({ $or: [{ more: true, l: 1701 }, { proj: true }] }),
    ).toBe(0);
  });

  it.each(['after the events of a step', 'between two steps'])(
    'finishes a numbering that was interrupted %s',
    async (when) => {
      const place = newPlace();
      const docs = Array.from({ length: 1200 }, (_, i) => original(place, i));
      await client.db(name).collection('directMessage').insertMany(docs);
      await (await server()).newest([place]);
      const events = client.db(name).collection('event');
      await events.deleteMany({ f: { $gt: 500 } });
      await events.updateOne(
        { f: 1 },
        { $set: when === 'between two steps' ? { more: true } : { more: true, proj: true } },
      );
      const keep = when === 'between two steps' ? { seq: { $gt: 500 } } : {};
      await client
        .db(name)
        .collection('directMessage')
        .updateMany(keep, { $unset: { seq: '' } });
      const store = await server(false);
      const page = await store.history(place, { kind: 'after', seq: 498, size: 3 });
      expect(page.seq).toBe(1200);
      expect(page.entries.map(({ message }) => message.content)).toEqual(['m498', 'm499', 'm500']);
    },
  );

  it('shows messages that an original stores later as the oldest, and edits and deletes them', async () => {
    const place = newPlace();
    const store = await server();
    const first = said(place, 'ours');
    await append(store, 1, [first]);
    const strays = [original(place, 1), original(place, 2)];
    await client.db(name).collection('directMessage').insertMany(strays);
    await append(store, 2, [said(place, 'later')]);
    const contents = async () =>
      (await store.history(place, { kind: 'page', page: 0, size: 9 })).entries.map(({ message }) => message.content);
    expect(await contents()).toEqual(['m1', 'm2', 'ours', 'later']);
    expect((await store.history(place, { kind: 'page', page: 1, size: 2 })).entries).toHaveLength(2);
    const [a, b] = strays.map((doc) => said(place, 'x', { id: doc._id.toHexString() }));
    if (a === undefined || b === undefined) throw new Error('no strays');
    await append(store, 3, [edited(a, 'changed'), deleted(b)]);
    expect(await contents()).toEqual(['changed', 'ours', 'later']);
  });

  it('counts later messages of an original for a user without a marker, and never less than 0', async () => {
    const place = newPlace();
    const store = await server();
    const [db] = open;
    if (db === undefined) throw new Error('no database');
    await append(
      store,
      1,
      [1, 1, 2].map((userId) => said(place, 'ours', { userId })),
    );
    await client
      .db(name)
      .collection('directMessage')
      .insertMany([2, 4, 5].map((i) => original(place, i)));
    const markers = new MongoReadMarkers({ db, store });
    const unread = async (userId: number) => (await markers.unread(userId, [place])).map(({ count }) => count);
    // User 1 wrote two of our messages and two of the original's.
    expect(await Promise.all([9, 1, 2].map(unread))).toEqual([[6], [2], [4]]);
    // All messages of user 1 came after the number was read.
    const early = await new Unread(db).count(1, [{ place, read: null, since: null, unnumberedSince: null, seq: 0 }]);
    expect(early.get(place)?.count).toBe(0);
  });

  it('applies an edit after the message that another server stored and did not project', async () => {
    const place = newPlace();
    const message = said(place, 'old');
    await append(await server(false), 1, [message]);
    const store = await server();
    await append(store, 2, [edited(message, 'new')]);
    const events = client.db(name).collection('event');
    await expect.poll(() => events.countDocuments({ f: 2, proj: true })).toBe(0);
    const { entries } = await store.history(place, { kind: 'page', page: 0, size: 5 });
    expect(entries.map((entry) => entry.message.content)).toEqual(['new']);
  });

  it('sets aside and reports a batch that cannot be projected, and shows the others', async () => {
    const place = newPlace();
    const broken = { p: place, f: 1, l: 1, at: new Date(), proj: true, e: 'no list' };
    await client.db(name).collection('event').insertOne(broken);
    const db = await MongoDatabase.connect(mongo, { database: name });
    open.push(db);
    const failed: unknown[] = [];
    const store = new MongoMessageStore({ db, isBackground: false, onFailedBatch: (batch) => failed.push(batch) });
    await append(store, 2, [said(place, 'fine')]);
    const { entries } = await store.history(place, { kind: 'page', page: 0, size: 5 });
    expect(entries.map((entry) => entry.message.content)).toEqual(['fine']);
    expect(failed).toMatchObject([{ place, first: 1 }]);
  });

  describe('read markers', () => {
    it('counts from a later time that an original server wrote, and from the number again after the next mark', async () => {
      const place = newPlace();
      const store = await server();
      const [db] = open;
      if (db === undefined) throw new Error('no database');
      const markers = new MongoReadMarkers({ db, store });
      const count = async () => (await markers.unread(9, [place]))[0]?.count;
      const times = [1, 2, 3, 4].map((seconds) => T0 + seconds * 1000);
      await append(
        store,
        1,
        times.map((time) => said(place, 'x', { userId: 1, time })),
      );
      await markers.markUpTo(9, place, 1);
      expect(await count()).toBe(3);
      const read = (time: number) =>
        client
          .db(name)
          .collection('messageTime')
          .updateOne({ channelId: place }, { $set: { 'read.9': new Date(time) } }, { upsert: true });
      await read(T0 + 3_000);
      expect(await count()).toBe(1);
      await markers.mark(9, [place], T0 + 1_000);
      expect(await count()).toBe(0);
      await append(store, 5, [said(place, 'x', { userId: 1, time: T0 + 2_000 })]);
      expect(await count()).toBe(1);
      await read(T0 + 9_000);
      expect(await count()).toBe(0);
    });

    it('merges several marker documents of a place and keeps the latest time of each user', async () => {
      const place = newPlace();
      const at = (seconds: number) => new Date(T0 + seconds * 1000);
      const _class = 'com.example.chatserver.domain.MessageTime';
      await client
        .db(name)
        .collection('messageTime')
        .insertMany([
          { channelId: place, read: { 1: at(1), 2: at(9) }, _class },
          { channelId: place, read: { 1: at(3), 3: at(2) }, _class },
          { channelId: place, read: { 2: at(4) } },
          { channelId: 'com1', read: { 2: at(4) } },
          { channelId: newPlace() },
        ]);
      const docs = [1, 2, 3, 4, 5].map((i) => ({ ...original(place, i), userId: Long.fromNumber(99) }));
      await client.db(name).collection('directMessage').insertMany(docs);
      const stores = await Promise.all([server(), server()]);
      const [db] = open;
      const [store] = stores;
      if (db === undefined || store === undefined) throw new Error('no server');
      expect(await client.db(name).collection('messageTime').find({ channelId: place }).toArray()).toMatchObject([
        { read: { 1: at(3), 2: at(9), 3: at(2) }, _class },
      ]);
      const markers = new MongoReadMarkers({ db, store });
      const counts = await Promise.all([1, 2, 3, 4].map((user) => markers.unread(user, [place])));
      expect(counts.map(([count]) => count?.count)).toEqual([2, 0, 3, 5]);
    });
  });
});
