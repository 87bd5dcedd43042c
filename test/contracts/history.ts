import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HistoryPage, MessageStore } from '../../src/application/ports/message-store.ts';
import { NO_FILE_FACTS } from '../../src/domain/file.ts';
import type { HistoryRange } from '../../src/domain/history.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import type { Draft } from '../../src/domain/stored-event.ts';
import { append, appendInTurn, deleted, edited, FACTS, newPlace, replied, said, shared, type World } from './world.ts';

const contents = (page: HistoryPage): (string | null)[] => page.entries.map(({ message }) => message.content);
const firstPage: HistoryRange = { kind: 'page', page: 0, size: 50 };

/** The contract of the reads of `MessageStore`. */
export function historyContract(name: string, makeWorld: () => Promise<World>): void {
  describe(`${name}: history`, () => {
    let world: World;
    let store: MessageStore;
    beforeAll(async () => {
      world = await makeWorld();
      store = (await world.server()).store;
    });
    afterAll(() => world.close());

    const fill = async (place: ConversationKey, from: number, to: number): Promise<void> => {
      const drafts = Array.from({ length: to - from + 1 }, (_, i) => said(place, `m${from + i}`, { time: from + i }));
      expect((await append(store, from, drafts)).kind).toBe('stored');
    };

    it('pages from the newest message, with the oldest first within a page', async () => {
      const place = newPlace();
      await fill(place, 1, 7);
      const page = (number: number) => store.history(place, { kind: 'page', page: number, size: 3 });
      expect(contents(await page(0))).toEqual(['m5', 'm6', 'm7']);
      expect(contents(await page(1))).toEqual(['m2', 'm3', 'm4']);
      expect(contents(await page(2))).toEqual(['m1']);
      expect(await page(3)).toEqual({ entries: [], seq: 7 });
      expect(await store.history(newPlace(), firstPage)).toEqual({ entries: [], seq: 0 });
    });

    it('shows a message with all of its fields', async () => {
      const place = newPlace('c');
      const message = said(place, 'text \u0000 é', { userId: 3, time: 1_795_362_752_625, nonce: `n${place}` });
      const file = shared(place, 'key', { userId: 4 });
      const reply = replied(place, 're', message.id, { userId: 5 });
      await append(store, 1, [message, file, reply]);
      const page = await store.history(place, firstPage);
      const of = (draft: Draft, seq: number) => ({
        ...{ id: draft.id, place, communityId: 7, seq, userId: draft.userId, time: draft.time, nonce: draft.nonce },
        ...{ thumbnail: null, type: null, parentId: null, edited: false, ...NO_FILE_FACTS },
      });
      const first = { ...of(message, 1), name: 'Ada', profileImage: 'a.png', content: 'text \u0000 é' };
      const second = {
        ...of(file, 2),
        name: 'Ada',
        profileImage: null,
        content: 'key',
        thumbnail: 'thumb',
        type: 'image',
        ...FACTS,
      };
      const third = {
        ...of(reply, 3),
        name: 'Bo',
        profileImage: null,
        content: 're',
        type: 'reply',
        parentId: message.id,
      };
      expect(page.entries).toEqual([
        { message: first, parent: null },
        { message: second, parent: null },
        { message: third, parent: first },
      ]);
      const found = await store.messages(place, [message.id, reply.id, 'f'.repeat(24)]);
      expect(found).toEqual(
        new Map<string, unknown>([
          [message.id, first],
          [reply.id, third],
        ]),
      );
      expect(await store.messages(newPlace('c'), [message.id])).toEqual(new Map());
      expect(await store.messages(place, [])).toEqual(new Map());
    });

    it('reads the messages before and after a number', async () => {
      const place = newPlace();
      await fill(place, 1, 6);
      const read = async (kind: 'before' | 'after', seq: number, size: number) =>
        contents(await store.history(place, { kind, seq, size }));
      expect(await read('before', 5, 2)).toEqual(['m3', 'm4']);
      expect(await read('before', 1, 2)).toEqual([]);
      expect(await read('before', 100, 2)).toEqual(['m5', 'm6']);
      expect(await read('after', 0, 2)).toEqual(['m1', 'm2']);
      expect(await read('after', 4, 9)).toEqual(['m5', 'm6']);
      expect(await read('after', 6, 9)).toEqual([]);
      expect((await store.history(place, { kind: 'before', seq: 2, size: 1 })).seq).toBe(6);
    });

    it('shows edits, deletions and the current state of parents', async () => {
      const place = newPlace();
      const [kept, changed, removed] = [said(place, 'kept'), said(place, 'old'), said(place, 'gone')];
      const replies = [kept, changed, removed].map((parent) => replied(place, `to ${parent.id}`, parent.id));
      await append(store, 1, [kept, changed, removed, ...replies]);
      await append(store, 7, [edited(changed, 'newer')]);
      await append(store, 8, [edited(changed, 'new'), deleted(removed)]);
      const page = await store.history(place, firstPage);
      expect(page.seq).toBe(9);
      expect(page.entries.map(({ message }) => [message.seq, message.edited])).toEqual([
        [1, false],
        [2, true],
        [4, false],
        [5, false],
        [6, false],
      ]);
      expect(page.entries[1]?.message.content).toBe('new');
      expect(page.entries.slice(2).map(({ message, parent }) => [message.parentId, parent?.content])).toEqual([
        [kept.id, 'kept'],
        [changed.id, 'new'],
        [removed.id, undefined],
      ]);
      expect((await store.messages(place, [removed.id])).size).toBe(0);
    });

    it('ignores an edit or a deletion of a message that was deleted', async () => {
      const place = newPlace();
      const [first, second] = [said(place, 'one'), said(place, 'two')];
      await append(store, 1, [first, second]);
      await append(store, 3, [deleted(first)]);
      await append(store, 4, [deleted(first), edited(first, 'back')]);
      expect(contents(await store.history(place, firstPage))).toEqual(['two']);
      await append(store, 6, [said(place, 'three'), deleted(second)]);
      expect(contents(await store.history(place, firstPage))).toEqual(['three']);
      expect((await store.history(place, firstPage)).seq).toBe(7);
    });

    it('shows messages that were created, edited and deleted within one batch', async () => {
      const place = newPlace();
      const [a, b] = [said(place, 'a'), said(place, 'b')];
      await append(store, 1, [a, b, edited(a, 'a2'), deleted(b), edited(a, 'a3')]);
      expect(contents(await store.history(place, firstPage))).toEqual(['a3']);
    });

    it('shows a message at once, whichever server stored it', async () => {
      const other = (await world.server()).store;
      const dead = (await world.server({ idle: true })).store;
      const place = newPlace();
      for (let i = 1; i <= 12; i += 1) {
        const writer = i % 3 === 0 ? dead : store;
        const draft = said(place, `m${i}`);
        expect((await appendInTurn(writer, [draft])).kind).toBe('stored');
        const [page, found] = await Promise.all([
          other.history(place, { kind: 'page', page: 0, size: 1 }),
          store.messages(place, [draft.id]),
        ]);
        expect(contents(page)).toEqual([`m${i}`]);
        expect(page.seq).toBe(i);
        expect(found.get(draft.id)?.seq).toBe(i);
      }
      expect((await other.history(place, firstPage)).entries).toHaveLength(12);
    });

    it('returns a newest number that fits the page while others write', async () => {
      const place = newPlace();
      const servers = await Promise.all([world.server(), world.server()]);
      let writing = true;
      const writers = servers.map(async (server) => {
        for (let i = 0; i < 40; i += 1) await appendInTurn(server.store, [said(place, `${i}`), said(place, `${i}b`)]);
      });
      const done = Promise.all(writers).then(() => {
        writing = false;
      });
      while (writing) {
        const page = await store.history(place, { kind: 'page', page: 0, size: 5 });
        const seqs = page.entries.map(({ message }) => message.seq ?? 0);
        const rest = Array.from({ length: Math.min(5, page.seq) }, (_, i) => page.seq - i).reverse();
        expect(seqs).toEqual(rest);
      }
      await done;
      expect((await store.history(place, firstPage)).seq).toBe(160);
    });

    it('shows each message on exactly one deep page, with edits and deletions in between', {
      timeout: 30_000,
    }, async () => {
      const place = newPlace();
      const live: string[] = [];
      let seq = 0;
      // Long ranges with holes and without. Each batch is so small that it is projected well within
      // the timeout of a read.
      for (let round = 0; round < 44; round += 1) {
        const hasGaps = round % 22 < 10;
        const fresh = Array.from({ length: 100 }, (_, i) => said(place, `${round}-${i}`));
        const gone = fresh.filter((_, i) => hasGaps && i % 9 === round % 9);
        const batch: Draft[] = [...fresh, ...gone.map((draft) => deleted(draft))];
        const kept = fresh.filter((draft) => !gone.includes(draft));
        for (const [i, draft] of kept.entries()) if (hasGaps && i % 19 === 0) batch.push(edited(draft, draft.id));
        live.push(...kept.map((draft) => draft.id));
        expect((await append(store, seq + 1, batch)).kind).toBe('stored');
        seq += batch.length;
      }
      const read: string[] = [];
      for (let page = Math.ceil(live.length / 97) - 1; page >= 0; page -= 1) {
        const { entries } = await store.history(place, { kind: 'page', page, size: 97 });
        read.push(...entries.map(({ message }) => message.id));
      }
      expect(read).toEqual(live);
      expect((await store.history(place, { kind: 'page', page: 1000, size: 97 })).entries).toEqual([]);
    });
  });

  describe(`${name}: closing`, () => {
    it('reports the outcome of every append that is in progress when it closes', async () => {
      const world = await makeWorld();
      const [closing, other] = [(await world.server()).store, (await world.server()).store];
      const places = Array.from({ length: 20 }, () => newPlace());
      const pending = places.map((place) => append(closing, 1, [said(place, 'last words')]));
      const closed = Promise.all([closing.close(), closing.close()]);
      const outcomes = await Promise.all(pending);
      await closed;
      expect((await append(closing, 1, [said(newPlace(), 'too late')])).kind).toBe('failed');
      for (const [i, place] of places.entries()) {
        const stored = await other.eventsAfter(place, 0, 9);
        if (outcomes[i]?.kind === 'stored') expect(stored).toHaveLength(1);
        expect(['stored', 'failed']).toContain(outcomes[i]?.kind);
      }
      await closing.close();
      await world.close();
    });
  });
}
