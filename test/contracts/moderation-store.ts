import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModerationStore } from '../../src/application/ports/moderation-store.ts';
import type { ModerationOrder } from '../../src/domain/moderation.ts';
import { newPlace, newUser } from './world.ts';

/** One store, as several servers see it. */
export interface ModerationWorld {
  /** The store as another server sees it. @param now its clock, in milliseconds since 1970 */
  server(now?: () => number): Promise<ModerationStore>;
  close(): Promise<void>;
}

const ADMIN = 'ops';
const DAY_MS = 24 * 60 * 60 * 1000;
const ALL = 10_000;

/** The contract of `ModerationStore`. */
export function moderationStoreContract(name: string, makeWorld: () => Promise<ModerationWorld>): void {
  describe(`${name}: moderation`, () => {
    let world: ModerationWorld;
    let clock = Date.UTC(2026, 10, 27);
    let one: ModerationStore;
    let two: ModerationStore;
    beforeAll(async () => {
      world = await makeWorld();
      one = await world.server(() => clock);
      two = await world.server(() => clock);
    });
    afterAll(() => world.close());

    const newest = async () => (await one.ordersAfter(0, ALL)).at(-1)?.seq ?? 0;

    it('gives every kind of order back as it was given, on another server', async () => {
      const before = await newest();
      const [userId, place] = [newUser(), newPlace()];
      const orders: ModerationOrder[] = [
        { kind: 'ban', userId, until: clock + 5_000, reason: 'spam' },
        { kind: 'mute', userId, place, until: null },
        { kind: 'mute', userId, place: null, until: clock + 1 },
        { kind: 'slow-mode', place, seconds: 10 },
        { kind: 'disconnect', userId },
      ];
      for (const [index, order] of orders.entries()) {
        expect(await (index % 2 === 0 ? one : two).append(order, ADMIN)).toBe(before + 1 + index);
      }
      const found = await two.ordersAfter(before, ALL);
      expect(found).toEqual(
        orders.map((order, index) => ({ seq: before + 1 + index, order, admin: ADMIN, at: clock })),
      );
      expect(await one.ordersAfter(before + 1, 2)).toEqual(found.slice(1, 3));
      expect(await one.ordersAfter(await newest(), ALL)).toEqual([]);
    });

    it('keeps only the latest order of a subject', async () => {
      const before = await newest();
      const [userId, place] = [newUser(), newPlace('c')];
      await one.append({ kind: 'ban', userId, until: null, reason: null }, ADMIN);
      await one.append({ kind: 'mute', userId, place, until: null }, ADMIN);
      await two.append({ kind: 'unban', userId }, ADMIN);
      await two.append({ kind: 'mute', userId, place: null, until: null }, ADMIN);
      await one.append({ kind: 'unmute', userId, place }, ADMIN);
      expect((await two.ordersAfter(before, ALL)).map(({ seq, order }) => [seq - before, order])).toEqual([
        [3, { kind: 'unban', userId }],
        [4, { kind: 'mute', userId, place: null, until: null }],
        [5, { kind: 'unmute', userId, place }],
      ]);
    });

    it('gives each number once to orders of two servers at the same time', async () => {
      const before = await newest();
      const users = Array.from({ length: 20 }, () => newUser());
      const seqs = await Promise.all(
        users.map((userId, i) =>
          (i % 2 === 0 ? one : two).append({ kind: 'ban', userId, until: null, reason: null }, ADMIN),
        ),
      );
      expect(seqs.toSorted((a, b) => a - b)).toEqual(users.map((_, i) => before + 1 + i));
      expect((await one.ordersAfter(before, ALL)).map(({ seq }) => seq)).toEqual(seqs.toSorted((a, b) => a - b));
    });

    it('keeps an order for a day after its end, and gives no number twice', async () => {
      const before = await newest();
      const [ended, banned] = [newUser(), newUser()];
      await one.append({ kind: 'ban', userId: ended, until: clock + 1_000, reason: null }, ADMIN);
      await one.append({ kind: 'ban', userId: banned, until: null, reason: null }, ADMIN);
      clock += DAY_MS;
      await one.append({ kind: 'disconnect', userId: newUser() }, ADMIN);
      const users = async () =>
        (await two.ordersAfter(before, ALL)).map(({ order }) => order !== null && 'userId' in order && order.userId);
      expect(await users()).toContain(ended);
      clock += 2 * DAY_MS;
      expect(await one.append({ kind: 'disconnect', userId: newUser() }, ADMIN)).toBe(before + 4);
      expect(await users()).not.toContain(ended);
      expect(await users()).toContain(banned);
      clock += 9 * DAY_MS;
      expect(await newest()).toBe(before + 4);
    });

    it('gives one turn in the interval to each user and place, over all servers', async () => {
      const [place, other, user] = [newPlace(), newPlace(), newUser()];
      const taken = await Promise.all([one, two, one, two].map((server) => server.takeTurn(place, user, 10_000)));
      expect(taken.filter((waitMs) => waitMs === 0)).toHaveLength(1);
      clock += 4_000;
      expect(await two.takeTurn(place, user, 10_000)).toBe(6_000);
      expect(await two.takeTurn(other, user, 10_000)).toBe(0);
      expect(await two.takeTurn(place, newUser(), 10_000)).toBe(0);
      clock += 5_999;
      expect(await one.takeTurn(place, user, 10_000)).toBe(1);
      clock += 1;
      expect(await one.takeTurn(place, user, 10_000)).toBe(0);
      expect(await one.takeTurn(place, user, 10_000)).toBe(10_000);
    });

    it('takes an erased user out of orders and turns, and keeps a ban without its reason', async () => {
      const before = await newest();
      const [userId, other, place] = [newUser(), newUser(), newPlace()];
      const kept: ModerationOrder = { kind: 'mute', userId: other, place, until: null };
      await one.append({ kind: 'ban', userId, until: null, reason: 'called Ada names' }, ADMIN);
      await one.append(kept, ADMIN);
      await two.append({ kind: 'mute', userId, place: null, until: null }, ADMIN);
      await two.append({ kind: 'mute', userId, place, until: null }, ADMIN);
      await one.append({ kind: 'disconnect', userId }, ADMIN);
      await one.takeTurn(place, userId, 10_000);
      await one.takeTurn(place, other, 10_000);
      expect(await two.entriesOf(userId)).toBe(5);
      expect(await one.ordersAfter(before, ALL)).toHaveLength(5);
      expect(await two.forgetUser(userId)).toBe(5);
      expect(await two.entriesOf(userId)).toBe(0);
      expect(await two.forgetUser(userId)).toBe(0);
      const left = await one.ordersAfter(before, ALL);
      expect(left.map(({ order }) => order).filter((order) => order?.kind !== 'removed')).toEqual([
        { kind: 'ban', userId, until: null, reason: null },
        kept,
      ]);
      expect(await one.takeTurn(place, userId, 10_000)).toBe(0);
      expect(await one.takeTurn(place, other, 10_000)).toBe(10_000);
      expect(await one.append({ kind: 'unban', userId }, ADMIN)).toBe(before + 6);
    });

    it('does not keep a user waiting when the clock was set back', async () => {
      const [place, user] = [newPlace(), newUser()];
      expect(await one.takeTurn(place, user, 10_000)).toBe(0);
      clock -= 3_600_000;
      expect(await two.takeTurn(place, user, 10_000)).toBe(0);
      expect(await two.takeTurn(place, user, 10_000)).toBe(10_000);
    });
  });
}
