import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { ServerHealth } from '../../../src/application/server-health.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { roomKey } from '../../../src/domain/place.ts';
import { completed, TestWorld } from '../../support/application.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { passTime } from '../../support/pass-time.ts';

const PLACE = roomKey(1);
const READY = { ready: true, reasons: [], degraded: [] };
const message = (roomId: number) => ({ roomId, name: null, profileImage: null, content: 'hello', nonce: null });

function start({ busHealth = { ready: true } as { ready: boolean; reason?: string } } = {}) {
  const clock = new HandClock();
  const health = new ServerHealth({ bus: { health: () => busHealth }, clock, telemetry: new RecordedTelemetry() });
  health.start();
  return { clock, health };
}

it('stays ready, degraded, while the bus or the store does not work', () => {
  const { health } = start({ busHealth: { ready: false, reason: 'no broker answers' } });
  health.outboxFailed(new Refusal('try-again', 'the database does not answer', { cause: new Error('no primary') }));
  const bus = { part: 'bus', reason: 'no broker answers' };
  expect(health.read()).toEqual({ ...READY, degraded: [bus, { part: 'store', reason: 'no primary' }] });
  health.outboxRead([], true);
  expect(health.read()).toEqual({ ...READY, degraded: [bus] });
});

it('stays ready in a long silence of the bus while no other server is seen to publish', () => {
  const { clock, health } = start();
  clock.pass(3_600_000);
  health.outboxRead([], true);
  expect(health.read()).toEqual(READY);
});

it('is not ready for a while after its event loop was blocked for more than 10 s', () => {
  const { clock, health } = start();
  clock.pass(5_000);
  clock.stall(9_000);
  expect(health.read()).toEqual(READY);
  clock.stall(3_000);
  const reasons = ['the event loop was blocked for 12 s'];
  expect(health.read()).toEqual({ ...READY, ready: false, reasons });
  clock.pass(0);
  clock.pass(1_000);
  expect(health.read()).toMatchObject({ ready: false });
  clock.pass(1_500);
  expect(health.read()).toEqual(READY);
});

/** Nothing is heard for 25 s. Then the store has an event that this server did not hear. */
function silent() {
  const { clock, health } = start();
  clock.pass(25_000);
  health.unheard(PLACE, 7);
  return { clock, health };
}

it('is not ready when it hears nothing for 30 s and an unheard event is on the bus', () => {
  const { clock, health } = silent();
  clock.pass(13_000);
  health.outboxRead([], true);
  const reasons = ['nothing was heard from the bus for 38 s, but other servers publish'];
  expect(health.read()).toEqual({ ...READY, ready: false, reasons });
  health.heard();
  expect(health.read()).toEqual(READY);
  clock.pass(2_000);
  expect(health.read()).toEqual(READY);
});

it('stays ready when the unheard event is still in the outbox, or when the outbox was not read to its end', () => {
  const { clock, health } = silent();
  clock.pass(13_000);
  health.outboxRead([], false);
  const events = [5, 6, 7].map((seq) => ({ seq })) as never;
  health.outboxRead([{ place: PLACE, first: 5, events }], true);
  health.outboxRead([], true);
  expect(health.read()).toEqual(READY);
});

it('becomes ready again when for a minute no other server was seen to publish', () => {
  const { clock, health } = silent();
  clock.pass(13_000);
  health.outboxRead([], true);
  clock.pass(59_000);
  expect(health.read()).toMatchObject({ ready: false });
  clock.pass(2_000);
  expect(health.read()).toEqual(READY);
});

it('ignores unheard events of the first seconds of a silence, because the others may have lost the bus later', () => {
  const { clock, health } = start();
  clock.pass(15_000);
  health.unheard(PLACE, 7);
  clock.pass(20_000);
  health.outboxRead([], true);
  expect(health.read()).toEqual(READY);
});

it('counts the silence of the bus from the end of a pause', () => {
  const { clock, health } = start();
  clock.stall(60_000);
  clock.pass(5_000);
  health.unheard(PLACE, 7);
  clock.pass(8_000);
  health.outboxRead([], true);
  expect(health.read()).toEqual(READY);
});

it('takes the one server that the bus does not reach from the load balancer, and only that one', async () => {
  const world = await TestWorld.open();
  const one = await world.server({ id: 'server-1' });
  const two = await world.server({ id: 'server-2' });
  const subscriber = await two.subscribe(world.grace, world.room);
  world.broker.hold('server-2');
  for (let sent = 1; sent <= 45; sent += 1) {
    await completed(() => one.app.sendDirectMessage(world.ada, message(world.roomId)));
    await passTime(world.clock, 1_000);
  }
  expect(subscriber.heard.length).toBeGreaterThan(30);
  expect([one.app.health().ready, two.app.health().ready]).toEqual([true, false]);
  world.broker.release('server-2');
  await passTime(world.clock, 1_000);
  expect(two.app.health()).toEqual(READY);
});

it('takes no server from the load balancer while the bus is away for all of them', async () => {
  const world = await TestWorld.open();
  const servers = [await world.server({ id: 'server-1' }), await world.server({ id: 'server-2' })];
  for (const server of servers) await server.subscribe(world.grace, world.room);
  world.broker.stop();
  for (let sent = 1; sent <= 45; sent += 1) {
    for (const { app } of servers) await completed(() => app.sendDirectMessage(world.ada, message(world.roomId)));
    await passTime(world.clock, 1_000);
  }
  const degraded = [{ part: 'bus', reason: 'the memory broker is down' }];
  for (const { app } of servers) expect(app.health()).toEqual({ ...READY, degraded });
  world.broker.restart();
});
