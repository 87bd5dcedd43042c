import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/application/ports/clock.ts';
import { completed, TestWorld } from '../../support/application.ts';
import { passTime } from '../../support/pass-time.ts';
import { TestClient } from '../../support/test-client.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The clock of another machine: its wall clock differs and jumps, its monotonic clock has another
 * start.
 */
class SkewedClock implements Clock {
  readonly #base: Clock;
  skew: number;

  constructor(base: Clock, skew: number) {
    this.#base = base;
    this.skew = skew;
  }

  now(): number {
    return this.#base.now() + this.skew;
  }

  monotonic(): number {
    return this.#base.monotonic() + 1e9;
  }

  after(ms: number, task: () => void) {
    return this.#base.after(ms, task);
  }

  soon(task: () => void): void {
    this.#base.soon(task);
  }
}

const message = (roomId: number, content: string) => ({ roomId, name: null, profileImage: null, content, nonce: null });

/**
 * Two servers. The clock of the second is ahead or behind. The age of batches is counted by the
 * clock of the store, which both share.
 */
async function twoServers(skew: number) {
  const world = await TestWorld.open();
  const clock = new SkewedClock(world.clock, skew);
  const one = await world.server({ id: 'server-1' });
  const two = await world.server({ id: 'server-2', ports: { clock } });
  return { world, clock, one, two };
}

for (const [name, skew] of [
  ['ten minutes ahead', 10 * MINUTE],
  ['ten minutes behind', -10 * MINUTE],
] as const) {
  describe(`a server whose clock is ${name} of the other's`, () => {
    it(`keeps the order of events on both servers (${name})`, async () => {
      const { world, one, two } = await twoServers(skew);
      const subscribers = [await one.subscribe(world.ada, world.room), await two.subscribe(world.grace, world.room)];
      for (let round = 1; round <= 10; round += 1) {
        await completed(() => one.app.sendDirectMessage(world.ada, message(world.roomId, `a${round}`)));
        await completed(() => two.app.sendDirectMessage(world.grace, message(world.roomId, `b${round}`)));
        await passTime(world.clock, 200);
      }
      const expected = Array.from({ length: 10 }, (_, i) => [`a${i + 1}`, `b${i + 1}`]).flat();
      for (const { heard } of subscribers) {
        expect(heard.map((event) => ('content' in event ? event.content : null))).toEqual(expected);
      }
      const page = { place: world.room, range: { kind: 'page', page: 0, size: 50 } } as never;
      const { entries } = await one.app.readHistory(world.ada, page);
      expect(entries.map((entry) => entry.message.content)).toEqual(expected);
    });

    it(`counts a message as unread that was stored after the reader had left (${name})`, async () => {
      const { world, one, two } = await twoServers(skew);
      for (const [reader, writer] of [
        [one, two],
        [two, one],
      ] as const) {
        await completed(() => writer.app.sendDirectMessage(world.grace, message(world.roomId, 'before')));
        const sessionId = `session-${reader === one}`;
        reader.app.userConnected({ sessionId, token: world.ada.token, claimedUserId: null, client: new TestClient() });
        const whereabouts = { kind: 'conversation', key: world.room } as never;
        await completed(() => reader.app.moveToPlace(world.ada, { sessionId, whereabouts }));
        reader.app.userDisconnected(sessionId);
        await passTime(world.clock, 500);
        await completed(() => writer.app.sendDirectMessage(world.grace, message(world.roomId, 'after')));
        const places = [world.room] as never;
        for (const { app } of [one, two]) {
          expect(await app.unread(world.ada, { places })).toMatchObject([{ count: 1 }]);
        }
      }
    });

    it(`does not end sessions of the other server (${name})`, async () => {
      const { world, one, two } = await twoServers(skew);
      const subscribers = [
        await one.subscribe(world.linus, world.otherRoom),
        await two.subscribe(world.linus, world.otherRoom),
      ];
      one.app.userConnected({ sessionId: 'a', token: world.ada.token, claimedUserId: null, client: new TestClient() });
      two.app.userConnected({
        sessionId: 'g',
        token: world.linus.token,
        claimedUserId: null,
        client: new TestClient(),
      });
      await passTime(world.clock, 30_000);
      for (const { app } of [one, two]) {
        const { userId } = world.ada;
        expect(await app.online(world.linus, { place: world.otherRoom })).toEqual([userId, world.linus.userId]);
      }
      for (const { heard } of subscribers) expect(heard.map(({ kind }) => kind)).not.toContain('disconnect');
    });
  });
}

it('keeps sessions, order and rates when the clock of one server jumps back and forth by an hour', async () => {
  const { world, clock, one, two } = await twoServers(MINUTE);
  const subscribers = [
    await one.subscribe(world.linus, world.otherRoom),
    await two.subscribe(world.linus, world.otherRoom),
  ];
  one.app.userConnected({ sessionId: 'a', token: world.ada.token, claimedUserId: null, client: new TestClient() });
  two.app.userConnected({ sessionId: 'l', token: world.linus.token, claimedUserId: null, client: new TestClient() });
  await passTime(world.clock, 5_000);
  const sent: string[] = [];
  for (const jump of [-HOUR, HOUR, HOUR, -HOUR]) {
    clock.skew += jump;
    for (const [server, caller, name] of [
      [one, world.ada, 'a'],
      [two, world.linus, 'l'],
    ] as const) {
      const content = `${name}${sent.length}`;
      await completed(() => server.app.sendDirectMessage(caller, message(world.otherRoomId, content)));
      sent.push(content);
    }
    await passTime(world.clock, 15_000);
    for (const { app } of [one, two]) {
      const online = await app.online(world.linus, { place: world.otherRoom });
      expect(online).toEqual([world.ada.userId, world.linus.userId]);
      expect(app.health()).toEqual({ ready: true, reasons: [], degraded: [] });
    }
  }
  for (const { heard } of subscribers) {
    expect(heard.flatMap((event) => ('content' in event ? [event.content] : []))).toEqual(sent);
    expect(heard.map(({ kind }) => kind)).not.toContain('disconnect');
  }
});
