import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

    it('counts the messages of others after the marker, by time and not by number', async () => {
      const [place, me, other] = [newPlace(), newUser(), newUser()];
      await append(server.store, 1, [
        said(place, 'a', { userId: other, time: 1000 }),
        said(place, 'b', { userId: other, time: 3000 }),
        said(place, 'late', { userId: other, time: 2000 }),
        said(place, 'mine', { userId: me, time: 4000 }),
      ]);
      const read = async () => (await server.markers.unread(me, [place]))[0];
      expect(await read()).toEqual({ place, count: 3, newestTime: 4000, seq: 4 });
      await server.markers.mark(me, [place], 1000);
      expect(await read()).toMatchObject({ count: 2 });
      await server.markers.mark(me, [place], 2000);
      expect(await read()).toMatchObject({ count: 1 });
      await server.markers.mark(me, [place], 5000);
      expect(await read()).toEqual({ place, count: 0, newestTime: 4000, seq: 4 });
      expect((await server.markers.unread(other, [place]))[0]?.count).toBe(1);
    });

    it('moves a marker forward only, whichever server writes it', async () => {
      const second = await world.server();
      const [place, me, other] = [newPlace('c'), newUser(), newUser()];
      const times = [10, 20, 30, 40, 50];
      await append(
        server.store,
        1,
        times.map((time) => said(place, 'x', { userId: other, time })),
      );
      await Promise.all(
        [30, 10, 40, 20].map((time, i) => (i % 2 === 0 ? server : second).markers.mark(me, [place], time)),
      );
      expect((await second.markers.unread(me, [place]))[0]?.count).toBe(1);
      await server.markers.mark(me, [place], 15);
      expect((await server.markers.unread(me, [place]))[0]?.count).toBe(1);
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
      await server.markers.mark(me, half, 100);
      const asked = [...places.reverse(), ...places.slice(0, 2)];
      const counts = await (await world.server()).markers.unread(me, asked);
      expect(counts).toEqual(
        asked.map((place) => {
          const size = known.includes(place) ? 1 + (known.indexOf(place) % 4) : 0;
          const count = half.includes(place) ? size - 1 : size;
          return { place, count, newestTime: size === 0 ? null : 99 + size, seq: size };
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
      await server.markers.mark(me, [place], 300);
      expect((await server.markers.unread(me, [place]))[0]?.count).toBe(1);
    });

    it('counts a message at once that a server stored before it died', async () => {
      const dead = await world.server({ idle: true });
      const [place, me, other] = [newPlace(), newUser(), newUser()];
      await append(dead.store, 1, [said(place, 'x', { userId: other, time: 7 })]);
      expect(await server.markers.unread(me, [place])).toEqual([{ place, count: 1, newestTime: 7, seq: 1 }]);
    });
  });
}
