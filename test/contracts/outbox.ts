import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UnpublishedBatch } from '../../src/application/ports/outbox.ts';
import { append, newPlace, numbered, type Server, said, type World } from './world.ts';

/**
 * The contract of `Outbox`. The suite needs a world of its own, because it looks at all unpublished
 * batches.
 */
export function outboxContract(name: string, makeWorld: () => Promise<World>): void {
  describe(`${name}: outbox`, () => {
    let world: World;
    let now = Date.now();
    let writer: Server;
    let other: Server;
    beforeAll(async () => {
      world = await makeWorld();
      writer = await world.server({ now: () => now });
      other = await world.server({ now: () => now });
    });
    afterAll(() => world.close());

    const keys = (batches: readonly UnpublishedBatch[]) => batches.map(({ place, first }) => `${place}/${first}`);

    it('lists stored batches to every server, oldest first, until they are published', async () => {
      const [a, b] = [newPlace(), newPlace('c')];
      const drafts = [said(a, '1'), said(a, '2')];
      await append(writer.store, 1, drafts);
      now += 10;
      await append(writer.store, 1, [said(b, '1')]);
      now += 10;
      await append(writer.store, 3, [said(a, '3')]);
      now += 1000;
      const seen = await other.outbox.unpublished(500, 100);
      expect(keys(seen)).toEqual([`${a}/1`, `${b}/1`, `${a}/3`]);
      expect(seen[0]).toEqual({ place: a, first: 1, events: numbered(1, drafts) });
      expect(keys(await other.outbox.unpublished(500, 2))).toEqual([`${a}/1`, `${b}/1`]);
      expect(await other.outbox.unpublished(5000, 100)).toEqual([]);

      writer.outbox.published([
        { place: a, first: 1 },
        { place: b, first: 1 },
      ]);
      await expect.poll(async () => keys(await other.outbox.unpublished(500, 100))).toEqual([`${a}/3`]);
      writer.outbox.published([{ place: a, first: 3 }]);
      await expect.poll(async () => keys(await other.outbox.unpublished(500, 100))).toEqual([]);
    });

    it('lists the batches of a server that died, also after their messages were read', async () => {
      const dead = await world.server({ now: () => now, idle: true });
      const place = newPlace();
      await append(dead.store, 1, [said(place, 'left behind')]);
      const page = await other.store.history(place, { kind: 'page', page: 0, size: 5 });
      expect(page.entries).toHaveLength(1);
      now += 1000;
      expect(keys(await other.outbox.unpublished(500, 100))).toEqual([`${place}/1`]);
      other.outbox.published([{ place, first: 1 }]);
      await expect.poll(async () => keys(await writer.outbox.unpublished(500, 100))).toEqual([]);
    });

    it('does not list a batch that was refused', async () => {
      const place = newPlace();
      await append(writer.store, 1, [said(place, 'a')]);
      writer.outbox.published([{ place, first: 1 }]);
      expect((await append(writer.store, 1, [said(place, 'b')])).kind).toBe('conflict');
      now += 1000;
      await expect.poll(async () => keys(await other.outbox.unpublished(0, 100))).toEqual([]);
    });
  });
}
