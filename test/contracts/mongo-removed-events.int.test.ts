import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { SystemClock } from '../../src/adapters/system/clock.ts';
import { completed, TestWorld } from '../support/application.ts';
import type { TestSubscriber } from '../support/test-subscribers.ts';

const seqs = ({ heard }: TestSubscriber) => heard.map((event) => ('seq' in event ? event.seq : null));

await describeWithService('mongo', 'servers whose events are removed from MongoDB by hand', ({ mongo }) => {
  it.each([
    ['the oldest ones', { $lte: 4 }, { served: 4, lost: 2 }],
    ['some in the middle', { $gte: 4, $lte: 6 }, { served: 6, lost: 4 }],
    ['the newest ones', { $gte: 8 }, { served: 10, lost: 9 }],
    ['all of them', { $gte: 1 }, { served: 10, lost: 9 }],
  ])('go on live with the next number and reset a resume that needs %s', async (_, range, { served, lost }) => {
    const database = `removed-${randomBytes(6).toString('hex')}`;
    const world = await TestWorld.open();
    const start = async (id: string) => {
      const db = await MongoDatabase.connect(mongo, { database });
      const store = new MongoMessageStore({ db });
      onTestFinished(async () => {
        await store.close();
        await db.close();
      });
      const ports = { store, outbox: new MongoOutbox({ db }), markers: new MongoReadMarkers({ db, store }) };
      const server = await world.server({ id, ports: { ...ports, clock: new SystemClock() } });
      const text = { name: null, profileImage: null, nonce: null };
      const say = (content: string) =>
        completed(() => server.app.sendDirectMessage(world.ada, { roomId: world.roomId, content, ...text }));
      return { ...server, db, store, say };
    };
    const old = await start('server-1');
    onTestFinished(() =>
      old.db.client
        .db(database)
        .dropDatabase()
        .then(() => {}),
    );
    const live = await old.subscribe(world.grace, world.room);
    for (let n = 1; n <= 10; n += 1) await old.say(`m${n}`);
    await live.hears(10);
    await old.store.history(world.room, { kind: 'page', page: 0, size: 1 });
    await old.db.events.deleteMany({ p: world.room, f: range });
    // Keeps the messages: they show a server that starts later which numbers were given.
    const fresh = await start('server-2');
    const far = await fresh.subscribe(world.grace, world.room, lost);
    expect([seqs(far), far.resetTo, far.isLive]).toEqual([[], 10, true]);
    const near = await fresh.subscribe(world.grace, world.room, served);
    expect(near.resetTo).toBeNull();
    expect(seqs(near)).toEqual(Array.from({ length: 10 - served }, (_element, i) => served + 1 + i));
    expect(fresh.telemetry.counts.get('log_holes')).toBe(1);

    await fresh.say('m11');
    await old.say('m12');
    for (const subscriber of [live, far, near]) {
      await expect.poll(() => seqs(subscriber).slice(-2), { timeout: 5_000 }).toEqual([11, 12]);
    }
    expect(seqs(live)).toEqual(Array.from({ length: 12 }, (_element, i) => i + 1));
  });
});
