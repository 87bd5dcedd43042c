import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredData } from '../../src/application/ports/stored-data.ts';
import { DELETED_USER_NAME } from '../../src/domain/anonymous.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import {
  append,
  deleted,
  edited,
  newId,
  newNonce,
  newPlace,
  newUser,
  replied,
  type Server,
  said,
  shared,
} from './world.ts';

export interface DataServer extends Server {
  readonly data: StoredData;
}

export interface DataWorld {
  server(): Promise<DataServer>;
  close(): Promise<void>;
}

const OLD = 1_700_000_000_000;
const CUTOFF = OLD + 1_000_000;
const NEW = OLD + 2_000_000;

/** The contract of `StoredData`. */
export function storedDataContract(name: string, makeWorld: () => Promise<DataWorld>): void {
  describe(`${name}: stored data for jobs`, () => {
    let world: DataWorld;
    let server: DataServer;
    beforeAll(async () => {
      world = await makeWorld();
      server = await world.server();
    });
    afterAll(() => world.close());

    async function allPlaces(): Promise<ConversationKey[]> {
      const all: ConversationKey[] = [];
      for (let cursor: string | null = null; ; ) {
        const part: Awaited<ReturnType<StoredData['places']>> = await server.data.places(cursor, 3);
        all.push(...part.places);
        if (part.next === null) return all;
        cursor = part.next;
      }
    }

    async function removeAll(place: ConversationKey, limit = 200): Promise<string[]> {
      const files: string[] = [];
      for (;;) {
        const part = await server.data.expired(place, 0, CUTOFF, limit);
        if (part.events + part.messages === 0) return files;
        files.push(...part.files);
        await server.data.removeExpired(place, part, CUTOFF);
      }
    }

    const contents = async (place: ConversationKey) =>
      (await server.store.history(place, { kind: 'page', page: 0, size: 100 })).entries.map(
        ({ message }) => message.content,
      );

    it('lists every place with events or read positions', async () => {
      const [room, channel, read] = [newPlace('r'), newPlace('c'), newPlace('r')];
      await append(server.store, 1, [said(room, 'a')]);
      await append(server.store, 1, [said(channel, 'b')]);
      await server.markers.mark(newUser(), [read], NEW);
      expect(await allPlaces()).toEqual(expect.arrayContaining([room, channel, read]));
    });

    it('removes old messages and their events, and keeps numbers, pages and counts right', async () => {
      const [place, reader] = [newPlace(), newUser()];
      const old = Array.from({ length: 7 }, (_, i) => said(place, `old ${i}`, { time: OLD + i }));
      for (const [i, draft] of old.entries()) await append(server.store, i + 1, [draft]);
      await append(server.store, 8, [shared(place, 'file-key-1', { time: OLD + 9 })]);
      for (let i = 9; i <= 12; i += 1) await append(server.store, i, [said(place, `new ${i}`, { time: NEW + i })]);
      expect(await server.data.expired(place, 0, OLD, 100)).toEqual({ upTo: 0, events: 0, messages: 0, files: [] });
      expect(await removeAll(place, 3)).toEqual(['file-key-1', 'thumb']);
      expect(await contents(place)).toEqual(['new 9', 'new 10', 'new 11', 'new 12']);
      expect(await server.store.newest([place])).toEqual(new Map([[place, 12]]));
      expect((await server.store.eventsAfter(place, 0, 100)).map(({ seq }) => seq)).toEqual([9, 10, 11, 12]);
      expect(await server.markers.unread(reader, [place])).toMatchObject([{ count: 4, seq: 12 }]);
      await server.markers.markUpTo(reader, place, 3);
      expect(await server.markers.unread(reader, [place])).toMatchObject([{ count: 4, seq: 12 }]);
      const page = await server.store.history(place, { kind: 'page', page: 1, size: 3 });
      expect(page.entries.map(({ message }) => message.seq)).toEqual([9]);
    });

    it('counts removed numbers as holes, also where counts skip thousands of numbers', async () => {
      const [place, reader, far] = [newPlace(), newUser(), newUser()];
      const old = Array.from({ length: 40 }, () => said(place, 'old', { time: OLD }));
      const young = Array.from({ length: 2_200 }, (_, i) => said(place, `new ${i}`, { time: NEW }));
      await append(server.store, 1, old);
      await append(server.store, 41, young);
      await contents(place);
      await removeAll(place);
      expect(await server.markers.unread(reader, [place])).toMatchObject([{ count: 2_200, seq: 2_240 }]);
      await server.markers.markUpTo(far, place, 30);
      expect(await server.markers.unread(far, [place])).toMatchObject([{ count: 2_200 }]);
      const last = await server.store.history(place, { kind: 'page', page: 22, size: 100 });
      const first = await server.store.history(place, { kind: 'page', page: 21, size: 100 });
      expect([last.entries.length, first.entries[0]?.message.seq]).toEqual([0, 41]);
    });

    it('gives no number again after everything of a place was removed', async () => {
      const place = newPlace('c');
      for (const i of [1, 2, 3]) await append(server.store, i, [said(place, `old ${i}`, { time: OLD })]);
      await removeAll(place, 2);
      for (const { store } of [server, await world.server()]) {
        expect(await store.newest([place])).toEqual(new Map([[place, 3]]));
        expect(await contents(place)).toEqual([]);
        expect(await store.eventsAfter(place, 0, 10)).toEqual([{ kind: 'unknown', place, seq: 3, isRemoved: true }]);
      }
      expect(await append(server.store, 4, [said(place, 'next', { time: NEW })])).toEqual({ kind: 'stored' });
      expect(await server.markers.unread(newUser(), [place])).toMatchObject([{ count: 1, seq: 4 }]);
    });

    it('removes late edits of old messages and the copies of their texts in replies', async () => {
      const place = newPlace();
      const old = said(place, 'secret text', { time: OLD });
      await append(server.store, 1, [old]);
      const quoting = { ...replied(place, 'yes', old.id, { time: NEW }), parentContent: 'secret text' };
      await append(server.store, 2, [quoting]);
      await append(server.store, 3, [edited(old, 'secret edit')]);
      await append(server.store, 4, [said(place, 'later', { time: NEW })]);
      await contents(place);
      await removeAll(place);
      const events = await server.store.eventsAfter(place, 0, 10);
      expect(JSON.stringify(events)).not.toContain('secret');
      expect(events.flatMap((event) => (event.kind === 'unknown' ? [] : [event.seq]))).toEqual([2, 4]);
      expect(events.find(({ seq }) => seq === 2)).toMatchObject({ parentName: '', parentContent: null });
      expect(await contents(place)).toEqual(['yes', 'later']);
      expect(await server.markers.unread(newUser(), [place])).toMatchObject([{ count: 2, seq: 4 }]);
    });

    it('lists and counts old files of all places, oldest first', async () => {
      const [room, channel] = [newPlace('r'), newPlace('c')];
      await append(server.store, 1, [shared(room, 'very-old-2', { time: 2_000 })]);
      await append(server.store, 1, [shared(channel, 'very-old-1', { time: 1_000 })]);
      await append(server.store, 2, [replied(room, 'no file', newId(), { time: 1_500 })]);
      await contents(room);
      await contents(channel);
      const found = await server.data.expiredFiles(3_000, 10);
      expect(found.map(({ place, content }) => [place, content])).toEqual([
        [channel, 'very-old-1'],
        [room, 'very-old-2'],
      ]);
      expect(await server.data.expiredFiles(3_000, 1)).toHaveLength(1);
      expect(await server.data.countFiles(1_500, 3_000)).toBe(1);
    });

    it('takes a person out of messages, events, replies to them and read positions', async () => {
      const [place, user, other] = [newPlace(), newUser(), newUser()];
      const name = `Person ${user}`;
      const nonce = newNonce();
      const [first, second] = [
        said(place, 'kept text', { userId: user, name, nonce }),
        said(place, 'gone', { userId: user, name }),
      ];
      await append(server.store, 1, [first, said(place, 'of another', { userId: other, name: 'Other' })]);
      await append(server.store, 3, [second]);
      await append(server.store, 4, [{ ...replied(place, 'a reply', first.id, { userId: other }), parentName: name }]);
      await append(server.store, 5, [edited(first, 'edited text'), deleted(second)]);
      await server.markers.mark(user, [place], NEW);
      const { data } = server;
      expect((await data.messagesOf(user, place, null, 10)).map(({ content }) => content)).toEqual(['edited text']);
      expect((await data.eventsOf(user, place, 1, 100)).map(({ seq }) => seq)).toEqual([1, 3, 5, 6]);
      expect((await data.eventsOf(user, place, 2, 5)).map(({ seq }) => seq)).toEqual([3, 5]);
      expect(await data.readingOf(user, place)).toEqual({ place, seq: 6 });

      await data.anonymiseMessages(user, place, [first.id]);
      await data.anonymiseEvents(user, place, 1, 100);
      await data.forgetReader(user, place);

      expect(await data.messagesOf(user, place, null, 10)).toEqual([]);
      expect(await data.eventsOf(user, place, 1, 100)).toEqual([]);
      expect(await data.readingOf(user, place)).toBeNull();
      const events = await server.store.eventsAfter(place, 0, 100);
      expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
      const page = await server.store.history(place, { kind: 'page', page: 0, size: 10 });
      const text = JSON.stringify([events, page]);
      expect(text).not.toContain(name);
      expect(text).not.toContain(nonce);
      expect(events[0]).toMatchObject({ userId: 0, name: DELETED_USER_NAME, profileImage: null, nonce: null });
      expect(events[1]).toMatchObject({ userId: other, name: 'Other' });
      expect(events[3]).toMatchObject({ parentName: DELETED_USER_NAME });
      expect(page.entries[0]?.message).toMatchObject({ userId: 0, name: DELETED_USER_NAME, content: 'edited text' });
      expect(page.entries[2]?.parent).toMatchObject({ name: DELETED_USER_NAME });
      expect(await server.store.byNonce(user, nonce)).toBeNull();
      // The user's own nonce is free again, and another person's anonymised batches do not collide.
      const again = said(place, 'again', { userId: user, nonce });
      expect(await append(server.store, 7, [again])).toEqual({ kind: 'stored' });
    });

    it('lists the messages of a person in parts', async () => {
      const [place, user] = [newPlace('c'), newUser()];
      const drafts = Array.from({ length: 5 }, (_, i) => said(place, `m${i}`, { userId: user }));
      await append(server.store, 1, drafts);
      const ids: string[] = [];
      for (let after: string | null = null; ; ) {
        const part: readonly { readonly id: string }[] = await server.data.messagesOf(user, place, after, 2);
        ids.push(...part.map(({ id }) => id));
        if (part.length < 2) break;
        after = part.at(-1)?.id ?? null;
      }
      expect(ids).toEqual(drafts.map(({ id }) => id).sort());
    });
  });
}
