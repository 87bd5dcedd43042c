import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConversationKey } from '../../src/domain/place.ts';
import { append, edited, newNonce, newPlace, newUser, numbered, said, type World } from './world.ts';

export interface RemovalWorld extends World {
  /**
   * Removes events as an operator does it by hand. Where servers cannot run meanwhile, it ends
   * them: ask for a new one.
   */
  remove(place: ConversationKey, from: number, to: number): Promise<void>;
}

export interface RemovalTraits {
  /** Servers go on while events are removed. They remember the numbers that they have seen. */
  readonly removesUnderServers?: true;
}

/** The part of the contract of `MessageStore` and `Outbox` that is about removed events. */
export function removalContract(
  name: string,
  makeWorld: () => Promise<RemovalWorld>,
  { removesUnderServers }: RemovalTraits = {},
): void {
  describe(`${name}: removed events`, () => {
    let world: RemovalWorld;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    /** Stores ten messages of a user in ten batches, reads them, then removes `from` to `to`. */
    async function removed(from: number, to: number, kind: 'r' | 'c' = 'r') {
      const { store } = await world.server();
      const [place, user] = [newPlace(kind), newUser()];
      const drafts = Array.from({ length: 10 }, (_, i) =>
        said(place, `m${i + 1}`, { userId: user, nonce: newNonce() }),
      );
      for (const [i, draft] of drafts.entries()) await append(store, i + 1, [draft]);
      await store.history(place, { kind: 'page', page: 0, size: 1 });
      await world.remove(place, from, to);
      const fresh = await world.server();
      const servers = removesUnderServers ? [fresh, { ...fresh, store }] : [fresh];
      return { place, user, drafts, events: numbered(1, drafts), servers, ...fresh };
    }

    it('reads on behind numbers that were removed from the start of a log', async () => {
      const { place, events, servers } = await removed(1, 4);
      for (const { store } of servers) {
        expect(await store.newest([place])).toEqual(new Map([[place, 10]]));
        expect(await store.eventsAfter(place, 0, 100)).toEqual(events.slice(4));
        expect(await store.eventsAfter(place, 2, 3)).toEqual(events.slice(4, 7));
        expect(await store.eventsAfter(place, 4, 100)).toEqual(events.slice(4));
      }
    });

    it('reads on behind numbers that were removed from the middle of a log', async () => {
      const { place, drafts, events, servers } = await removed(4, 6, 'c');
      const rest = [...events.slice(0, 3), ...events.slice(6)];
      for (const { store } of servers) {
        expect(await store.eventsAfter(place, 0, 100)).toEqual(rest);
        expect(await store.eventsAfter(place, 0, 5)).toEqual(rest.slice(0, 5));
        for (const after of [3, 4, 5, 6]) expect(await store.eventsAfter(place, after, 100)).toEqual(events.slice(6));
        expect(await store.eventsAfter(place, 10, 100)).toEqual([]);
        expect((await append(store, 4, [said(place, 'into the hole')])).kind).toBe('conflict');
      }
      const [store] = servers.map((server) => server.store);
      const next = edited(drafts[4] ?? said(place, ''), 'edited after its event was removed');
      expect(store && (await append(store, 11, [next]))).toEqual({ kind: 'stored' });
      const page = await store?.history(place, { kind: 'after', seq: 4, size: 1 });
      expect(page?.entries[0]?.message).toMatchObject({ seq: 5, content: next.content, edited: true });
    });

    it.each([
      ['the newest events', 8],
      ['all events', 1],
    ])('never gives a number again after %s were removed', async (_, from) => {
      const { place, events, servers } = await removed(from, 10);
      for (const { store } of servers) {
        expect(await store.newest([place])).toEqual(new Map([[place, 10]]));
        expect(await store.eventsAfter(place, 0, 100)).toEqual([
          ...events.slice(0, from - 1),
          { kind: 'unknown', place, seq: 10, isRemoved: true },
        ]);
        expect((await append(store, from, [said(place, 'again')])).kind).toBe('conflict');
      }
      const next = said(place, 'next');
      const [last] = servers.map(({ store }) => store).slice(-1);
      expect(last && (await append(last, 11, [next]))).toEqual({ kind: 'stored' });
      for (const { store } of servers) {
        expect(await store.newest([place])).toEqual(new Map([[place, 11]]));
        expect(await store.eventsAfter(place, 10, 100)).toEqual(numbered(11, [next]));
      }
    });

    it('shows the messages of removed events in pages and counts them as unread', async () => {
      for (const [from, to] of [
        [1, 4],
        [4, 6],
        [8, 10],
        [1, 10],
      ] as const) {
        const { place, store, markers, drafts } = await removed(from, to);
        const contents = async (range: Parameters<typeof store.history>[1]) =>
          (await store.history(place, range)).entries.map(({ message }) => message.content);
        const all = drafts.map(({ content }) => content);
        expect(await contents({ kind: 'page', page: 1, size: 4 })).toEqual(all.slice(2, 6));
        expect(await contents({ kind: 'before', seq: 6, size: 3 })).toEqual(all.slice(2, 5));
        expect(await contents({ kind: 'after', seq: 6, size: 9 })).toEqual(all.slice(6));
        const reader = newUser();
        expect(await markers.unread(reader, [place])).toMatchObject([{ count: 10, seq: 10 }]);
        expect(await markers.markUpTo(reader, place, 5)).toBe(5);
        expect(await markers.unread(reader, [place])).toMatchObject([{ count: 5, seq: 10 }]);
      }
    });

    it('stores the nonce of a removed event again, and gives no other event for it', async () => {
      const { place, user, drafts, store } = await removed(4, 6);
      const draft = drafts[4] ?? said(place, '');
      const nonce = draft.nonce ?? '';
      expect(await store.byNonce(user, nonce)).toBeNull();
      const again = said(place, 'again', { userId: user, nonce });
      expect(await append(store, 11, [again])).toEqual({ kind: 'stored' });
      expect(await store.byNonce(user, nonce)).toEqual({ ...again, seq: 11 });
    });

    it('lists the rest of the batches in the outbox, whatever was removed', async () => {
      const { place, outbox, events } = await removed(4, 6);
      const listed = (await outbox.unpublished(0, 1000)).filter((batch) => batch.place === place);
      expect(listed.flatMap((batch) => batch.events)).toEqual([...events.slice(0, 3), ...events.slice(6)]);
    });
  });
}
