import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { freePort } from '../../dev/services/free-port.ts';
import { mongod, startMongo } from '../../dev/services/mongo.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import type { Draft } from '../../src/domain/stored-event.ts';
import { append, known, newNonce, newPlace, newUser, said } from './world.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function connect(url: string): Promise<{ db: MongoDatabase; store: MongoMessageStore; outbox: MongoOutbox }> {
  const db = await MongoDatabase.connect(url);
  const store = new MongoMessageStore({ db });
  cleanups.push(async () => {
    await store.close();
    await db.close();
  });
  return { db, store, outbox: new MongoOutbox({ db }) };
}

await describeWithOwnService('mongo', 'a MongoDB that fails', () => {
  it('keeps every stored batch, once and without a gap, when MongoDB is killed while three servers write', {
    timeout: 90_000,
  }, async () => {
    const mongo = await startMongo({ own: true });
    cleanups.push(() => mongo.stop());
    const servers = await Promise.all([connect(mongo.url), connect(mongo.url), connect(mongo.url)]);
    const places = [newPlace(), newPlace('c'), newPlace()];
    const stored = new Set<string>();
    const offered = new Set<string>();
    let failures = 0;
    let done = false;
    const write = async ({ store }: { store: MongoMessageStore }, s: number): Promise<void> => {
      const user = newUser();
      for (let i = 0; !done; i += 1) {
        const place = places[(i + s) % places.length] ?? newPlace();
        const draft: Draft = said(place, `${s}/${i}`, { userId: user, nonce: newNonce() });
        offered.add(draft.id);
        try {
          const first = ((await store.newest([place])).get(place) ?? 0) + 1;
          const outcome = await append(store, first, [draft, said(place, 'with it')]);
          if (outcome.kind === 'stored') stored.add(draft.id);
          if (outcome.kind === 'failed') failures += 1;
        } catch {
          failures += 1;
          await delay(20);
        }
      }
    };
    const writers = servers.map(write);
    for (let round = 0; round < 2; round += 1) {
      const before = stored.size;
      await expect.poll(() => stored.size, { timeout: 20_000 }).toBeGreaterThan(before + 60);
      await mongo.kill();
      await expect.poll(() => failures, { timeout: 20_000 }).toBeGreaterThan(round * 4);
      await mongo.restart();
    }
    const before = stored.size;
    await expect.poll(() => stored.size, { timeout: 30_000 }).toBeGreaterThan(before + 30);
    done = true;
    await Promise.all(writers);

    const { store } = await connect(mongo.url);
    const seen: string[] = [];
    for (const place of places) {
      const events = known(await store.eventsAfter(place, 0, 100_000));
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      const { entries } = await store.history(place, { kind: 'after', seq: 0, size: 100_000 });
      expect(entries.map(({ message }) => [message.seq, message.id])).toEqual(events.map(({ seq, id }) => [seq, id]));
      seen.push(...events.flatMap(({ id, nonce }) => (nonce === null ? [] : [id])));
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const id of stored) expect(seen).toContain(id);
    for (const id of seen) expect(offered).toContain(id);
  });

  it('fails appends and refuses reads within seconds while MongoDB hangs, and works again afterwards', {
    timeout: 60_000,
  }, async () => {
    const mongo = await startMongo({ own: true });
    cleanups.push(() => mongo.stop());
    const { store } = await connect(mongo.url);
    const place = newPlace();
    await append(store, 1, [said(place, 'before')]);
    await mongo.freeze();
    const began = Date.now();
    const user = newUser();
    const nonce = newNonce();
    const [outcome] = await Promise.all([
      append(store, 2, [said(place, 'into the void', { userId: user, nonce })]),
      expect(store.newest([place])).rejects.toMatchObject({ code: 'try-again' }),
      expect(store.history(place, { kind: 'page', page: 0, size: 5 })).rejects.toMatchObject({ code: 'try-again' }),
      expect(store.messages(place, ['f'.repeat(24)])).rejects.toMatchObject({ code: 'try-again' }),
    ]);
    expect(outcome.kind).toBe('failed');
    expect(Date.now() - began).toBeLessThan(10_000);
    await mongo.thaw();
    await expect
      .poll(async () => (await append(store, 2, [said(place, 'again', { userId: user, nonce })])).kind, {
        timeout: 15_000,
      })
      .not.toBe('failed');
    const events = known(await store.eventsAfter(place, 0, 9));
    expect(events.filter((event) => event.nonce === nonce)).toHaveLength(1);
  });

  it('refuses a read that takes several slow answers after 5 s as a whole', { timeout: 30_000 }, async () => {
    const mongo = await startMongo({ own: true });
    cleanups.push(() => mongo.stop());
    const proxy = await FaultProxy.start({ target: Number(new URL(mongo.url).port), delayMs: 1_500 });
    cleanups.push(() => proxy.stop());
    const db = await MongoDatabase.connect(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`);
    const store = new MongoMessageStore({ db, isBackground: false });
    const markers = new MongoReadMarkers({ db, store });
    cleanups.push(() => db.close());
    const place = newPlace();
    await append(store, 1, [said(place, 'x')]);
    await proxy.setMode('slow');
    const began = performance.now();
    const reads = [
      store.history(place, { kind: 'page', page: 0, size: 5 }),
      store.messages(place, ['f'.repeat(24)]),
      markers.unread(1, [place]),
      markers.mark(1, [place], 1),
    ];
    for (const read of await Promise.allSettled(reads)) {
      if (read.status === 'rejected') expect(read.reason).toMatchObject({ code: 'try-again' });
    }
    expect(performance.now() - began).toBeLessThan(6_500);
  });

  it('lets another server project and publish the batches of a server that died', {
    timeout: 30_000,
  }, async () => {
    const mongo = await startMongo({ own: true });
    cleanups.push(() => mongo.stop());
    const db = await MongoDatabase.connect(mongo.url);
    const dead = new MongoMessageStore({ db, isBackground: false });
    const place = newPlace();
    await append(dead, 1, [said(place, 'left behind')]);
    await db.close();
    const other = await connect(mongo.url);
    const messages = other.db.messagesOf(place);
    await expect.poll(() => messages.countDocuments(), { timeout: 10_000, interval: 200 }).toBe(1);
    expect(await other.outbox.unpublished(0, 10)).toMatchObject([
      { place, first: 1, events: [{ content: 'left behind' }] },
    ]);
  });

  it('refuses at the start a mongod that is not a replica set', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-standalone-'));
    const port = await freePort();
    const args = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'];
    const child = spawn(await mongod(), args, { stdio: 'ignore' });
    cleanups.push(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    });
    await expect(MongoDatabase.connect(`mongodb://127.0.0.1:${port}/?directConnection=true`)).rejects.toThrow(
      /--replSet/,
    );
  });
});
