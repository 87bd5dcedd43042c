import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { Refusal } from '../../src/domain/errors.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import { append, known, newNonce, newPlace, newUser, said } from './world.ts';

const PAUSE_MS = 20;
/** Documented: a caller waits 5 s at most. The rest is for a busy machine. */
export const MAX_WAIT_MS = 6_500;

/** Two servers with two writers each, which write to the same places until `end`. */
export class ReplicaSetWriters {
  readonly stored = new Map<string, ConversationKey>();
  readonly failed = new Set<string>();
  /** The longest time of a call, in milliseconds. */
  longestMs = 0;
  readonly #url: string;
  readonly #places = [newPlace(), newPlace('c'), newPlace()];
  readonly #servers: { readonly db: MongoDatabase; readonly store: MongoMessageStore }[] = [];
  /** Batches that were set aside, and ends of logs that were kept: neither may happen. */
  readonly #surprises: unknown[] = [];
  #writers: Promise<void>[] = [];
  #isDone = false;

  constructor(url: string) {
    this.#url = url;
  }

  async start(): Promise<void> {
    for (const _ of [1, 2]) {
      const store = await this.#connect();
      this.#writers.push(this.#write(store), this.#write(store));
    }
    await this.untilStored(20);
  }

  /** Resolves when this many more events are stored. */
  async untilStored(more: number): Promise<void> {
    const before = this.stored.size;
    await expect.poll(() => this.stored.size, { timeout: 60_000 }).toBeGreaterThanOrEqual(before + more);
  }

  /** Ends the writers. Checks that each acknowledged event is there once, in its order. */
  async end(): Promise<void> {
    this.#isDone = true;
    await Promise.all(this.#writers);
    const store = await this.#connect();
    const seen: string[] = [];
    for (const place of this.#places) {
      const events = known(await store.eventsAfter(place, 0, 1_000_000));
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      const { entries } = await store.history(place, { kind: 'after', seq: 0, size: 1_000_000 });
      expect(entries.map(({ message }) => message.id)).toEqual(events.map(({ id }) => id));
      seen.push(...events.map(({ id }) => id));
    }
    const all = new Set(seen);
    expect(seen).toHaveLength(all.size);
    expect([...this.stored.keys()].filter((id) => !all.has(id))).toEqual([]);
    expect(seen.filter((id) => !this.stored.has(id) && !this.failed.has(id))).toEqual([]);
    expect(this.#surprises).toEqual([]);
    expect(this.longestMs).toBeLessThan(MAX_WAIT_MS);
  }

  async close(): Promise<void> {
    this.#isDone = true;
    await Promise.all(this.#writers);
    await Promise.all(this.#servers.map(({ store }) => store.close()));
    await Promise.all(this.#servers.map(({ db }) => db.close()));
  }

  async #connect(): Promise<MongoMessageStore> {
    const db = await MongoDatabase.connect(this.#url);
    const surprise = (what: unknown) => void this.#surprises.push(what);
    const store = new MongoMessageStore({ db, onFailedBatch: surprise, onRemovedEnd: surprise });
    this.#servers.push({ db, store });
    return store;
  }

  async #write(store: MongoMessageStore): Promise<void> {
    const userId = newUser();
    for (let i = 0; !this.#isDone; i += 1) {
      const place = this.#places[i % this.#places.length] ?? newPlace();
      const draft = said(place, String(i), { userId, nonce: newNonce() });
      try {
        const first = ((await this.#timed(store.newest([place]))).get(place) ?? 0) + 1;
        const outcome = await this.#timed(append(store, first, [draft]));
        if (outcome.kind === 'stored') this.stored.set(draft.id, place);
        else this.failed.add(draft.id);
        if (i % 10 === 0) await this.#timed(store.history(place, { kind: 'page', page: 0, size: 5 }));
      } catch (error) {
        // Everything else would be a refusal that tells clients not to try again.
        if (!(error instanceof Refusal) || error.code !== 'try-again') this.#surprises.push(error);
      }
      await delay(PAUSE_MS);
    }
  }

  async #timed<T>(call: Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await call;
    } finally {
      this.longestMs = Math.max(this.longestMs, performance.now() - began);
    }
  }
}
