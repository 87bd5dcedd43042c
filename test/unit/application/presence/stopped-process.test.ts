import { expect, it } from 'vitest';
import type { Caller } from '../../../../src/application/commands.ts';
import { completed, type TestServer, TestWorld } from '../../../support/application.ts';
import { HandClock } from '../../../support/hand-clock.ts';
import { passTime, turnEventLoop } from '../../../support/pass-time.ts';
import { TestClient } from '../../../support/test-client.ts';

const PAUSE_MS = 60_000;
/** Time in which the consumers of a server that continues join their groups again. */
const REJOIN_MS = 4_000;

/**
 * Servers `a` and `b` with clocks of their own. Linus watches the room of Linus and Ada on
 * both. `a` can be stopped.
 */
async function setUp() {
  const world = await TestWorld.open();
  const clock = new HandClock();
  const a = await world.server({ id: 'a', ports: { clock } });
  const b = await world.server({ id: 'b' });
  const rooms = [a.subscribers.join(world.linus, world.otherRoom), b.subscribers.join(world.linus, world.otherRoom)];
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 50) {
      await passTime(world.clock, 50);
      await passTime(clock, 50);
    }
  };
  /** Lets time pass while `a` is stopped. Its timers and its input wait. */
  const passStopped = async (ms: number) => {
    world.broker.hold('a');
    await passTime(world.clock, ms);
    clock.stall(ms);
  };
  /** `a` runs again. The records that waited arrive when its consumers have joined again. */
  const go = async (rejoinMs = REJOIN_MS) => {
    await pass(rejoinMs);
    world.broker.release('a');
    await pass(10_000);
  };
  const takeHeard = () => rooms.map(({ heard }) => heard.splice(0).map(({ kind }) => kind));
  await pass(1_000);
  return { world, a, b, pass, passStopped, go, takeHeard };
}

function connect({ app }: TestServer, sessionId: string, { token }: Caller): void {
  app.userConnected({ sessionId, token, claimedUserId: null, client: new TestClient() });
}

it('announces no disconnect after a pause for a user who left before it and came back on another server', async () => {
  const { world, a, b, pass, passStopped, go, takeHeard } = await setUp();
  connect(a, 'first', world.ada);
  await pass(1_000);
  expect(takeHeard()).toEqual([['connect'], ['connect']]);
  a.app.userDisconnected('first');
  await pass(500);
  await passStopped(1_000);
  connect(b, 'second', world.ada);
  await passStopped(PAUSE_MS);
  await go();
  expect(takeHeard()).toEqual([[], []]);
});

it('announces no disconnect after a pause of 4 s for a user who came back on another server during it', async () => {
  const { world, a, b, pass, passStopped, go, takeHeard } = await setUp();
  connect(a, 'first', world.ada);
  await pass(1_000);
  takeHeard();
  a.app.userDisconnected('first');
  await pass(500);
  await passStopped(1_000);
  connect(b, 'second', world.ada);
  await passStopped(3_000);
  await go(200);
  expect(takeHeard()).toEqual([[], []]);
});

it('announces no disconnect after a pause for a user whose client moved to another server meanwhile', async () => {
  const { world, a, b, pass, passStopped, go, takeHeard } = await setUp();
  connect(a, 'first', world.ada);
  await pass(1_000);
  takeHeard();
  await passStopped(5_000);
  connect(b, 'second', world.ada);
  await passStopped(PAUSE_MS);
  // The server sees only now that the connection was closed.
  a.app.userDisconnected('first');
  await go();
  expect(takeHeard().flat()).not.toContain('disconnect');
  expect(await a.app.online(world.linus, { place: world.otherRoom })).toContain(world.ada.userId);
});

it('announces the disconnect of a user who left before the pause and stayed away, once', async () => {
  const { world, a, pass, passStopped, go, takeHeard } = await setUp();
  connect(a, 'first', world.ada);
  await pass(1_000);
  takeHeard();
  a.app.userDisconnected('first');
  await pass(500);
  await passStopped(PAUSE_MS);
  await go();
  expect(takeHeard()).toEqual([['disconnect'], ['disconnect']]);
});

it('announces no disconnect for a user who stayed on the stopped server and on another one', async () => {
  const { world, a, b, pass, passStopped, go, takeHeard } = await setUp();
  connect(a, 'first', world.ada);
  connect(b, 'second', world.ada);
  await pass(1_000);
  takeHeard();
  await passStopped(PAUSE_MS);
  await go();
  expect(takeHeard()).toEqual([[], []]);
  b.app.userDisconnected('second');
  await pass(5_000);
  expect(takeHeard()).toEqual([[], []]);
});

it('stores and delivers once what it had accepted before the pause', async () => {
  const { world, a, b, pass, passStopped, go } = await setUp();
  const input = (content: string) => ({
    roomId: world.otherRoomId,
    name: null,
    profileImage: null,
    content,
    nonce: null,
  });
  const rooms = [await a.subscribe(world.linus, world.otherRoom), await b.subscribe(world.linus, world.otherRoom)];
  const sent = Array.from({ length: 20 }, (_, i) => completed(() => a.app.sendDirectMessage(world.ada, input(`${i}`))));
  await turnEventLoop(2);
  await passStopped(PAUSE_MS);
  await go();
  await Promise.all(sent);
  await pass(5_000);
  const twenty = Array.from({ length: 20 }, (_, i) => i + 1);
  for (const { heard } of rooms) expect(heard.map((event) => 'seq' in event && event.seq)).toEqual(twenty);
});
