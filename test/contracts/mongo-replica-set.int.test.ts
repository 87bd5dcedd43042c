import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type RunningReplicaSet, startMongoReplicaSet } from '../../dev/services/mongo-replica-set.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MAX_WAIT_MS, ReplicaSetWriters } from './replica-set-writers.ts';
import { append, appendInTurn, newPlace, said } from './world.ts';

/** Short, so that the tests are. The full tests have MongoDB's own 10 s. */
const ELECTION_MS = 2_000;

await describeWithOwnService('mongo', 'a MongoDB replica set of three', () => {
  let set: RunningReplicaSet;
  beforeAll(async () => {
    set = await startMongoReplicaSet({ electionTimeoutMs: ELECTION_MS });
  });
  afterAll(() => set?.stop());

  it('acknowledges nothing that only an isolated primary has, and shows nothing of it after its rollback', {
    timeout: 60_000,
  }, async () => {
    const db = await MongoDatabase.connect(set.url);
    const store = new MongoMessageStore({ db });
    onTestFinished(async () => {
      await store.close();
      await db.close();
    });
    const place = newPlace();
    expect(await append(store, 1, [said(place, 'before')])).toEqual({ kind: 'stored' });
    const primary = await set.primary();
    const others = set.members.filter((member) => member !== primary);
    for (const member of others) await member.freeze();
    const lost = said(place, 'lost');
    const began = performance.now();
    const outcome = append(store, 2, [lost]);
    const own = await new MongoClient(primary.url, { readConcernLevel: 'local' }).connect();
    const stored = own.db('chat').collection('event');
    await expect.poll(() => stored.countDocuments({ 'e.id': lost.id }, { readConcern: { level: 'local' } })).toBe(1);
    await own.close();
    await primary.kill();
    for (const member of others) await member.thaw();
    const { kind } = await outcome;
    expect(performance.now() - began).toBeLessThan(MAX_WAIT_MS);

    await set.primary(others);
    const next = said(place, 'next');
    await expect.poll(async () => (await appendInTurn(store, [next])).kind, { timeout: 20_000 }).toBe('stored');
    await primary.start();
    await set.untilMember(primary);
    const ids = (await store.eventsAfter(place, 0, 10)).map((event) => 'id' in event && event.id);
    // Without an acknowledgement, the server may have stored it anew on the new primary.
    if (kind === 'stored') expect(ids).toContain(lost.id);
    expect(ids).toContain(next.id);
    const { entries } = await store.history(place, { kind: 'after', seq: 0, size: 10 });
    expect(entries.map(({ message }) => message.id)).toEqual(ids);
    const returned = await new MongoClient(primary.url, { readPreference: 'secondaryPreferred' }).connect();
    const log = returned.db('chat').collection('event');
    await expect.poll(() => log.countDocuments({ p: place })).toBe(ids.length);
    await returned.close();
  });

  it('keeps every acknowledged event while primaries are killed and step down under two servers', {
    timeout: 60_000,
  }, async () => {
    const writers = new ReplicaSetWriters(set.url);
    onTestFinished(() => writers.close());
    await writers.start();
    const killed = await set.primary();
    await killed.kill();
    await writers.untilStored(50);
    await killed.start();
    await set.untilMember(killed);
    const stepping = await set.primary();
    await set.command(stepping, { replSetStepDown: 5, force: true });
    await writers.untilStored(50);
    await writers.end();
  });
});
