import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConversationKey } from '../../src/domain/place.ts';
import { append, deleted, edited, newPlace, newUser, type Server, said, type World } from './world.ts';

/** The contract of `ReadMarkers`. */
export function readMarkersContract(name: string, makeWorld: () => Promise<World>): void {
  describe(`${name}: read markers`, () => {
    let world: World;
    let server: Server;
    beforeAll(async () => {
      world = await makeWorld();
      server = await world.server();
    });
    afterAll(() => world.close());

    const countOf = async (userId: number, place: ConversationKey, of = server) =>
      (await of.markers.unread(userId, [place]))[0]?.count;

    it('counts the messages of others that were stored after the marker, whatever their times are', async () => {
      const [place, me, other] = [newPlace(), newUser(), newUser()];
      await append(server.store, 1, [
        said(place, 'a', { userId: other, time: 1000 }),
        said(place, 'b', { userId: other, time: 3000 }),
        said(place, 'late', { userId: other, time: 2000 }),
        said(place, 'mine', { userId: me, time: 4000 }),
      ]);
      const read = async () => (await server.markers.unread(me, [place]))[0];
      expect(await read()).toEqual({ place, count: 3, newestTime: 4000, seq: 4 });
      expect(await server.markers.mark(me, [place, place], 1000)).toEqual([{ place, seq: 4 }]);
      expect(await read()).toEqual({ place, count: 0, newestTime: 4000, seq: 4 });
      // The clock of the server that stores this one is behind the clock of the reader's server.
      await append(server.store, 5, [
        said(place, 'c', { userId: other, time: 500 }),
        said(place, 'mine', { userId: me, time: 500 }),
      ]);
      expect(await read()).toEqual({ place, count: 1, newestTime: 4000, seq: 6 });
      expect(await countOf(other, place)).toBe(2);
    });

    it('counts a message that came after the reader left, although an earlier mark has a later time', async () => {
      const second = await world.server();
      const [place, me, other] = [newPlace('c'), newUser(), newUser()];
      await append(server.store, 1, [said(place, 'a', { userId: other, time: 9_000 })]);
      await server.markers.mark(me, [place], 9_000);
      await second.markers.mark(me, [place], 4_000);
      await append(server.store, 2, [said(place, 'b', { userId: other, time: 5_000 })]);
      expect(await countOf(me, place, second)).toBe(1);
      await second.markers.mark(me, [place], 5_000);
      expect(await countOf(me, place)).toBe(0);
    });

    it('moves a marker forward only, whichever server writes it', async () => {
      const second = await world.server();
      const [place, me, other] = [newPlace('c'), newUser(), newUser()];
      const drafts = Array.from({ length: 5 }, () => said(place, 'x', { userId: other, time: 10 }));
      await append(server.store, 1, drafts);
      await Promise.all([3, 1, 4, 2].map((seq, i) => (i % 2 === 0 ? server : second).markers.markUpTo(me, place, seq)));
      expect(await countOf(me, place, second)).toBe(1);
      expect(await server.markers.markUpTo(me, place, 2)).toBe(4);
      expect(await countOf(me, place)).toBe(1);
      await second.markers.mark(me, [place], 20);
      expect(await server.markers.markUpTo(me, place, 3)).toBe(5);
      expect(await countOf(me, place)).toBe(0);
    });

    it('marks no number as read that does not exist yet', async () => {
      const [place, me, other] = [newPlace(), newUser(), newUser()];
      expect(await server.markers.markUpTo(me, place, 7)).toBe(0);
      await append(server.store, 1, [said(place, 'a', { userId: other }), said(place, 'b', { userId: other })]);
      expect(await server.markers.markUpTo(me, place, 1_000)).toBe(2);
      await append(server.store, 3, [said(place, 'c', { userId: other })]);
      expect(await countOf(me, place)).toBe(1);
    });

    it('counts over thousands of numbers, with edits and deletions among them', async () => {
      const [place, me, other] = [newPlace(), newUser(), newUser()];
      const messages = Array.from({ length: 2_500 }, (_, i) => said(place, 'x', { userId: i % 10 === 0 ? me : other }));
      await append(server.store, 1, messages);
      const gone = [5, 1_023, 1_024, 2_400];
      const target = (index: number) => messages[index] ?? said(place, 'x');
      const removals = gone.map((index) => deleted(target(index)));
      await append(server.store, 2_501, [...removals, edited(target(9), 'changed')]);
      const reader = newUser();
      for (const seq of [0, 6, 1_023, 1_024, 1_025, 2_047, 2_401, 2_503]) {
        await server.markers.markUpTo(me, place, seq);
        await server.markers.markUpTo(reader, place, seq);
        // The message at index i has the number i + 1.
        const left = messages.filter((_, i) => i >= seq && !gone.includes(i));
        const ofOthers = left.filter(({ userId }) => userId === other);
        expect([seq, await countOf(me, place)]).toEqual([seq, ofOthers.length]);
        expect([seq, await countOf(reader, place)]).toEqual([seq, left.length]);
      }
    });

    it('counts many places in the order of the call, also unknown and repeated ones', async () => {
      const [me, other] = [newUser(), newUser()];
      const places = Array.from({ length: 30 }, (_, i) => newPlace(i % 2 === 0 ? 'r' : 'c'));
      const known = places.filter((_, i) => i % 3 !== 0);
      await server.store.append(
        known.map((place, i) => ({
          place,
          first: 1,
          drafts: Array.from({ length: 1 + (i % 4) }, (_, k) => said(place, 'x', { userId: other, time: 100 + k })),
        })),
      );
      const half = known.filter((_, i) => i % 2 === 0);
      const marked = await server.markers.mark(me, half, 100);
      expect(marked).toHaveLength(half.length);
      await server.store.append(
        half.map((place) => ({
          place,
          first: 2 + (known.indexOf(place) % 4),
          drafts: [said(place, 'new', { userId: other, time: 100 })],
        })),
      );
      const asked = [...places.reverse(), ...places.slice(0, 2)];
      const counts = await (await world.server()).markers.unread(me, asked);
      expect(counts).toEqual(
        asked.map((place) => {
          const before = known.includes(place) ? 1 + (known.indexOf(place) % 4) : 0;
          const isHalf = half.includes(place);
          const newestTime = before === 0 ? null : 99 + before;
          return { place, count: isHalf ? 1 : before, newestTime, seq: isHalf ? before + 1 : before };
        }),
      );
      expect(await server.markers.unread(me, [])).toEqual([]);
    });

    it('does not count edits and deleted messages', async () => {
      const [place, me, other] = [newPlace(), newUser(), newUser()];
      const gone = said(place, 'gone', { userId: other, time: 500 });
      const kept = said(place, 'kept', { userId: other, time: 400 });
      await append(server.store, 1, [kept, gone]);
      await append(server.store, 3, [edited(kept, 'changed'), deleted(gone)]);
      expect(await server.markers.unread(me, [place])).toEqual([{ place, count: 1, newestTime: 400, seq: 4 }]);
      await server.markers.markUpTo(me, place, 1);
      expect(await countOf(me, place)).toBe(0);
    });

    it('counts a message at once that a server stored before it died', async () => {
      const dead = await world.server({ idle: true });
      const [place, me, other] = [newPlace(), newUser(), newUser()];
      await append(dead.store, 1, [said(place, 'x', { userId: other, time: 7 })]);
      expect(await server.markers.unread(me, [place])).toEqual([{ place, count: 1, newestTime: 7, seq: 1 }]);
    });
  });
}
