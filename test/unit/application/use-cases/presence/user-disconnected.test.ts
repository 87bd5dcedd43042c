import { expect, it, vi } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import type { ReadMarkers } from '../../../../../src/application/ports/read-markers.ts';
import { startApplication, type TestServer, TestWorld } from '../../../../support/application.ts';
import { passTime, turnEventLoop } from '../../../../support/pass-time.ts';
import { TestClient } from '../../../../support/test-client.ts';
import { absentReporter } from './absent-reporter.ts';

function connect({ app }: Pick<TestServer, 'app'>, sessionId: string, { token }: Caller): void {
  app.userConnected({ sessionId, token, claimedUserId: null, client: new TestClient() });
}

/** Grace writes to the room. Time passes before and after it. */
async function writeToRoom({ app }: Pick<TestServer, 'app'>, world: TestWorld): Promise<void> {
  world.clock.pass(10);
  const message = { roomId: world.roomId, content: 'hi', name: null, profileImage: null, nonce: null };
  const { result } = await app.sendDirectMessage(world.grace, message);
  await result;
  world.clock.pass(10);
}

async function lookAtRoom({ app }: Pick<TestServer, 'app'>, sessionId: string, world: TestWorld): Promise<void> {
  const whereabouts = { kind: 'conversation', key: world.room } as const;
  const { result } = await app.moveToPlace(world.ada, { sessionId, whereabouts });
  await result;
}

/** Number of messages in the room that Ada has not read. */
async function unread({ ports }: Pick<TestServer, 'ports'>, world: TestWorld): Promise<number | undefined> {
  const [counted] = await ports.markers.unread(world.ada.userId, [world.room]);
  return counted?.count;
}

it('reports the end of a session to the presence service', async () => {
  const { world, app } = await startApplication();
  connect({ app }, 'gone-1', world.ada);
  app.userDisconnected('gone-1');
  expect(await world.reporter.logout('gone-1')).toBeNull();
});

it('ends a session once, however often it is called', async () => {
  const { world, app } = await startApplication();
  connect({ app }, 'gone-2', world.ada);
  connect({ app }, 'gone-3', world.ada);
  app.userDisconnected('gone-2');
  app.userDisconnected('gone-2');
  app.userDisconnected('gone-unknown');
  world.clock.pass(5_000);
  expect(await app.online(world.ada, { place: world.room })).toEqual([world.ada.userId]);
});

it('counts the conversation that a session looked at last as read', async () => {
  const { world, app, ports } = await startApplication();
  connect({ app }, 'gone-4', world.ada);
  await lookAtRoom({ app }, 'gone-4', world);
  await writeToRoom({ app }, world);
  expect(await unread({ ports }, world)).toBe(1);
  app.userDisconnected('gone-4');
  await app.stop(1_000);
  expect(await unread({ ports }, world)).toBe(0);
});

it('counts the conversation that the user looked at on another server as read', async () => {
  const world = await TestWorld.open();
  const a = await world.server({ id: 'a' });
  const b = await world.server({ id: 'b' });
  connect(a, 'gone-5', world.ada);
  connect(b, 'gone-6', world.ada);
  await lookAtRoom(b, 'gone-6', world);
  await writeToRoom(a, world);
  a.app.userDisconnected('gone-5');
  await a.app.stop(1_000);
  expect(await unread(a, world)).toBe(0);
});

it('counts the conversation as read while the presence service is away, and counts the failure', async () => {
  const { world, app, ports, telemetry } = await startApplication({ ports: { reporter: absentReporter } });
  connect({ app }, 'gone-7', world.ada);
  await lookAtRoom({ app }, 'gone-7', world);
  await writeToRoom({ app }, world);
  app.userDisconnected('gone-7');
  await app.stop(1_000);
  expect(await unread({ ports }, world)).toBe(0);
  expect(telemetry.counts.get('presence_failures')).toBe(2);
});

it('waits at a stop until the end of a session is reported', async () => {
  const { promise: answer, resolve: release } = Promise.withResolvers<null>();
  const reporter = { ...absentReporter, login: async () => {}, logout: () => answer };
  const { world, app } = await startApplication({ ports: { reporter } });
  connect({ app }, 'gone-10', world.ada);
  app.userDisconnected('gone-10');
  let isStopped = false;
  const stopped = app.stop(1_000).then(() => {
    isStopped = true;
  });
  await turnEventLoop(20);
  expect(isStopped).toBe(false);
  release(null);
  await stopped;
});

it('logs that the read position could not be stored', async () => {
  const markers: ReadMarkers = {
    mark: () => Promise.reject(new Error('the database is away')),
    markUpTo: () => Promise.reject(new Error('the database is away')),
    unread: async () => [],
  };
  const { world, app, telemetry } = await startApplication({ ports: { markers } });
  connect({ app }, 'gone-8', world.ada);
  await world.reporter.moved(world.ada.userId, { kind: 'conversation', key: world.room });
  app.userDisconnected('gone-8');
  await app.stop(1_000);
  expect(telemetry.logs).toContainEqual({
    level: 'warn',
    what: 'the read position of a user could not be stored',
    fields: { userId: world.ada.userId, error: expect.objectContaining({ message: 'the database is away' }) },
  });
});

it('counts the conversation that a user of a dead server looked at last as read', async () => {
  const world = await TestWorld.open();
  const a = await world.server({ id: 'a' });
  const b = await world.server({ id: 'b' });
  connect(b, 'gone-9', world.ada);
  await lookAtRoom(b, 'gone-9', world);
  await passTime(world.clock, 1_000);
  await writeToRoom(b, world);
  await b.ports.bus.close();
  expect(await unread(a, world)).toBe(1);
  await passTime(world.clock, 14_000);
  await vi.waitFor(async () => expect(await unread(a, world)).toBe(0));
});
