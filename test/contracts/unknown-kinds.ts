import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConversationKey } from '../../src/domain/place.ts';
import type { Draft } from '../../src/domain/stored-event.ts';
import {
  append,
  deleted,
  edited,
  known,
  newId,
  newNonce,
  newPlace,
  newUser,
  numbered,
  type Server,
  said,
  type World,
} from './world.ts';

/**
 * An event as a newer version stores it. It has the fields that all stored events share, and
 * others.
 */
export interface NewerEvent {
  readonly kind: string;
  readonly id: string;
  readonly userId: number;
  readonly time: number;
  readonly nonce: string | null;
  readonly [field: string]: unknown;
}

export interface NewerBatch {
  readonly place: ConversationKey;
  readonly first: number;
  readonly drafts: readonly Draft[];
  /** Numbered after the drafts. None of them creates a message. */
  readonly unknown: readonly NewerEvent[];
  /** When the batch is stored, in milliseconds since 1970. */
  readonly at?: number;
}

/** A world in which a server of a newer version writes too. */
export interface UpgradingWorld extends World {
  /** Stores a batch as the newer server does. Servers opened before may be closed by it. */
  newerServerAppends(batch: NewerBatch): Promise<void>;
  /**
   * The place's batches, by their first numbers, that no server has marked as published. Closes
   * servers like the other method.
   */
  unpublishedOf(place: ConversationKey): Promise<number[]>;
}

export function reaction(to: Draft, given: Partial<NewerEvent> = {}): NewerEvent {
  return { kind: 'newer-reaction', id: to.id, userId: 2, time: to.time, nonce: null, emoji: '+1', ...given };
}

/**
 * An event of a kind that this version does not know breaks nothing
 * (docs/adr/0008-kinds-of-events.md).
 */
export function unknownKindsContract(name: string, makeWorld: () => Promise<UpgradingWorld>): void {
  describe(`${name}: events of unknown kinds`, () => {
    let world: UpgradingWorld;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    /** Messages 1, 2 and 3, a reaction to the third as number 4, and message 5. */
    const mixed = async (place: ConversationKey, time = 1000) => {
      const author = newUser();
      const drafts = ['one', 'two', 'three', 'five'].map((text) => said(place, text, { userId: author, time }));
      const [one, two, three, five] = drafts as [Draft, Draft, Draft, Draft];
      await append((await world.server()).store, 1, [one, two]);
      const batch = { place, first: 3, drafts: [three], unknown: [reaction(three, { content: 'a note' })] };
      await world.newerServerAppends(batch);
      const server = await world.server();
      expect(await append(server.store, 5, [five])).toEqual({ kind: 'stored' });
      return { server, one, two, three, five };
    };

    it('replays only the number of an event of an unknown kind', async () => {
      const place = newPlace();
      const { server, one, two, three, five } = await mixed(place);
      const [first, second, third, fifth] = numbered(1, [one, two, three, five]);
      const events = [first, second, third, { kind: 'unknown', place, seq: 4 }, { ...fifth, seq: 5 }];
      for (let after = 0; after <= 5; after += 1) {
        expect(await server.store.eventsAfter(place, after, 9)).toEqual(events.slice(after));
        expect(await server.store.eventsAfter(place, after, 1)).toEqual(events.slice(after, after + 1));
      }
      expect(await server.store.newest([place])).toEqual(new Map([[place, 5]]));
    });

    it('shows all messages around an event of an unknown kind in every part of the history', async () => {
      const place = newPlace('c');
      const { server, three } = await mixed(place);
      const read = async (kind: 'before' | 'after', seq: number, size: number) =>
        (await server.store.history(place, { kind, seq, size })).entries.map(({ message }) => message.seq);
      const page = await server.store.history(place, { kind: 'page', page: 0, size: 9 });
      expect(page.seq).toBe(5);
      expect(page.entries.map(({ message }) => [message.seq, message.content])).toEqual([
        [1, 'one'],
        [2, 'two'],
        [3, 'three'],
        [5, 'five'],
      ]);
      expect(await read('before', 5, 2)).toEqual([2, 3]);
      expect(await read('after', 3, 9)).toEqual([5]);
      expect((await server.store.messages(place, [three.id])).get(three.id)?.content).toBe('three');
    });

    it('does not count an event of an unknown kind as a message in unread counts and deep pages', async () => {
      const place = newPlace();
      const { server } = await mixed(place);
      const reader = newUser();
      const unread = async () => (await server.markers.unread(reader, [place]))[0];
      expect(await unread()).toEqual({ place, count: 4, newestTime: 1000, seq: 5 });
      for (const first of [6, 606]) {
        const drafts = Array.from({ length: 600 }, (_, i) => said(place, `${first + i}`, { time: 2000 }));
        expect(await append(server.store, first, drafts)).toEqual({ kind: 'stored' });
      }
      expect(await unread()).toMatchObject({ count: 1204, seq: 1205 });
      // 1,204 messages: page 12 of 100 each has the oldest four.
      const page = await server.store.history(place, { kind: 'page', page: 12, size: 100 });
      expect(page.entries.map(({ message }) => message.seq)).toEqual([1, 2, 3, 5]);
      await server.markers.markUpTo(reader, place, 5);
      expect(await unread()).toMatchObject({ count: 1200 });
    });

    it('edits and deletes messages that were stored with or before an event of an unknown kind', async () => {
      const place = newPlace();
      const { server, one, two, three, five } = await mixed(place);
      await append(server.store, 6, [edited(two, 'changed'), deleted(one), deleted(three)]);
      const page = await server.store.history(place, { kind: 'page', page: 0, size: 9 });
      expect(page.entries.map(({ message }) => message.content)).toEqual(['changed', 'five']);
      expect((await server.markers.unread(newUser(), [place]))[0]).toMatchObject({ count: 2, seq: 8 });
      const events = await server.store.eventsAfter(place, 0, 9);
      expect(events.map((event) => [event.seq, event.kind, 'content' in event ? event.content : null])).toEqual([
        [1, 'message', ''],
        [2, 'message', 'two'],
        [3, 'message', ''],
        [4, 'unknown', null],
        [5, 'message', five.kind === 'message' ? five.content : ''],
        [6, 'modify', 'changed'],
        [7, 'delete', null],
        [8, 'delete', null],
      ]);
    });

    it('answers the nonce of an event of an unknown kind with the number of the event', async () => {
      const place = newPlace();
      const [user, nonce] = [newUser(), newNonce()];
      const target = said(place, 'one');
      await append((await world.server()).store, 1, [target]);
      const unknown = [reaction(target), reaction(target, { userId: user, nonce })];
      await world.newerServerAppends({ place, first: 2, drafts: [], unknown });
      const { store } = await world.server();
      const event = { kind: 'unknown', place, seq: 3 };
      expect(await store.byNonce(user, nonce)).toEqual(event);
      const drafts = [said(place, 'first'), said(place, 'again', { userId: user, nonce })];
      expect(await append(store, 4, drafts)).toEqual({ kind: 'repeated', index: 1, event });
      expect(await append(store, 4, [said(place, 'first')])).toEqual({ kind: 'stored' });
    });

    it('leaves batches with events of an unknown kind in the outbox, and still lists every batch that can be published', async () => {
      // An hour ago, so that these batches are older than those of other tests.
      const now = Date.now() - 60 * 60 * 1000;
      const [place, other] = [newPlace(), newPlace()];
      for (const first of [1, 2, 3]) {
        const unknown = [reaction(said(place, 'x'), { id: newId() })];
        await world.newerServerAppends({ place, first, drafts: [], unknown, at: now - 9000 + first });
      }
      const drafts = [said(other, 'known')];
      const newer = await world.server({ now: () => now - 5000 });
      await append(newer.store, 1, drafts);
      const { outbox } = await world.server({ now: () => now });
      const batches = await outbox.unpublished(3000, 1);
      expect(batches).toEqual([{ place: other, first: 1, events: numbered(1, drafts) }]);
      outbox.published(batches);
      const left = async () => (await outbox.unpublished(3000, 1000)).filter((batch) => batch.place === other);
      await expect.poll(left).toEqual([]);
      expect(await world.unpublishedOf(place)).toEqual([1, 2, 3]);
      expect(await world.unpublishedOf(other)).toEqual([]);
    });

    it('stores and reads messages in a place that begins with an event of an unknown kind', async () => {
      const place = newPlace();
      await world.newerServerAppends({ place, first: 1, drafts: [], unknown: [reaction(said(place, 'x'))] });
      const server: Server = await world.server();
      expect((await server.store.history(place, { kind: 'page', page: 0, size: 5 })).entries).toEqual([]);
      const drafts = [said(place, 'first')];
      expect(await append(server.store, 2, drafts)).toEqual({ kind: 'stored' });
      expect(known(await server.store.eventsAfter(place, 1, 5))).toEqual(numbered(2, drafts));
    });
  });
}
