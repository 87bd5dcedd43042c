import { expect, it } from 'vitest';
import type { Caller } from '../../../../src/application/commands.ts';
import type { ChatEvent } from '../../../../src/domain/chat-event.ts';
import { type TestServer, TestWorld } from '../../../support/application.ts';
import { passTime } from '../../../support/pass-time.ts';
import { TestClient } from '../../../support/test-client.ts';
import type { TestSubscriber } from '../../../support/test-subscribers.ts';

/** Servers a, b and c. On c, Ada hears what happens in the room that she shares with Grace. */
async function setUp() {
  const world = await TestWorld.open();
  const a = await world.server({ id: 'a' });
  const b = await world.server({ id: 'b' });
  const c = await world.server({ id: 'c' });
  const room = c.subscribers.join(world.ada, world.room);
  const pass = (ms: number) => passTime(world.clock, ms);
  await pass(500);
  return { world, a, b, c, room, pass };
}

function connect({ app }: TestServer, sessionId: string, { token }: Caller): void {
  app.userConnected({ sessionId, token, claimedUserId: null, client: new TestClient() });
}

/** The kinds of events that the subscriber heard since the last call. */
function takeHeard(subscriber: TestSubscriber): string[] {
  return subscriber.heard.splice(0).map((event: ChatEvent) => event.kind);
}

it('announces one connect and one disconnect for a session on another server', async () => {
  const { world, a, room, pass } = await setUp();
  connect(a, 'one', world.grace);
  await pass(500);
  expect(takeHeard(room)).toEqual(['connect']);
  a.app.userDisconnected('one');
  await pass(1_900);
  expect(takeHeard(room)).toEqual([]);
  await pass(1_000);
  expect(takeHeard(room)).toEqual(['disconnect']);
});

it('announces nothing when a user moves from one server to another within the grace period', async () => {
  const { world, a, b, room, pass } = await setUp();
  connect(a, 'two', world.grace);
  await pass(500);
  takeHeard(room);
  a.app.userDisconnected('two');
  await pass(1_500);
  connect(b, 'three', world.grace);
  await pass(5_000);
  expect(takeHeard(room)).toEqual([]);
});

it('announces exactly one disconnect when the last two sessions of a user end on two servers at the same time', async () => {
  const { world, a, b, room, pass } = await setUp();
  connect(a, 'four', world.grace);
  connect(b, 'five', world.grace);
  await pass(500);
  takeHeard(room);
  a.app.userDisconnected('four');
  b.app.userDisconnected('five');
  await pass(10_000);
  expect(takeHeard(room)).toEqual(['disconnect']);
});

it('announces a user again who was reported gone, but is online on this server', async () => {
  const { world, a, b, room, pass } = await setUp();
  connect(a, 'six', world.grace);
  await pass(500);
  takeHeard(room);
  // The other server has ended Grace's session with the presence service.
  await world.reporter.logout('six');
  await b.ports.bus.publish([{ event: { kind: 'disconnect', userId: world.grace.userId, places: [world.room] } }]);
  await pass(500);
  expect(takeHeard(room)).toEqual(['disconnect', 'connect']);
  expect(await world.reporter.logout('six')).toMatchObject({ userId: world.grace.userId });
});

it('reports where a user looks again, who was reported gone but is online on this server', async () => {
  const { world, a, b, pass } = await setUp();
  connect(a, 'looking', world.grace);
  const whereabouts = { kind: 'conversation', key: world.room, communityId: null } as const;
  await (await a.app.moveToPlace(world.grace, { sessionId: 'looking', whereabouts })).result;
  expect(await world.reporter.notLooking(world.room, [world.grace.userId])).toEqual([]);
  await world.reporter.logout('looking');
  await b.ports.bus.publish([{ event: { kind: 'disconnect', userId: world.grace.userId, places: [world.room] } }]);
  await pass(500);
  expect(await world.reporter.notLooking(world.room, [world.grace.userId])).toEqual([]);
});

it('does not announce a user again who was reported gone and is not online on this server', async () => {
  const { world, b, room, pass } = await setUp();
  await b.ports.bus.publish([{ event: { kind: 'disconnect', userId: world.grace.userId, places: [world.room] } }]);
  await pass(500);
  expect(takeHeard(room)).toEqual(['disconnect']);
});

it('ends the sessions of a dead server with the presence service and announces their users gone', async () => {
  const { world, a, b, room, pass } = await setUp();
  connect(b, 'seven', world.grace);
  connect(b, 'eight', world.ada);
  connect(a, 'nine', world.ada);
  await pass(500);
  takeHeard(room);
  await b.ports.bus.close();
  await pass(9_000);
  expect(takeHeard(room)).toEqual([]);
  await pass(5_000);
  expect(takeHeard(room)).toEqual(['disconnect']);
  expect(await world.reporter.logout('seven')).toBeNull();
  expect(await world.reporter.logout('eight')).toBeNull();
  expect(await world.reporter.logout('nine')).not.toBeNull();
});
