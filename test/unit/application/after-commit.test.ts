import { expect, it, vi } from 'vitest';
import type { Notification } from '../../../src/application/ports/notifier.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { startApplication, type TestServer, TestWorld } from '../../support/application.ts';
import { passTime } from '../../support/pass-time.ts';

const TEXT = { name: null, profileImage: null, content: 'hello', nonce: null };

async function send(server: Pick<TestServer, 'app'>, world: TestWorld) {
  const accepted = await server.app.sendDirectMessage(world.ada, { ...TEXT, roomId: world.roomId });
  return accepted.result;
}

it('hands a stored event to the subscribers of this server before the sender has the result', async () => {
  const { world, ...server } = await startApplication();
  const subscriber = await server.subscribe(world.grace, world.room);
  const accepted = await server.app.sendDirectMessage(world.ada, { ...TEXT, roomId: world.roomId });
  let heardBefore = -1;
  await accepted.result.then(() => {
    heardBefore = subscriber.heard.length;
  });
  expect(heardBefore).toBe(1);
});

it('publishes a stored event to the other servers', async () => {
  const world = await TestWorld.open();
  const one = await world.server({ id: 'one' });
  const other = await world.server({ id: 'other' });
  const subscriber = await other.subscribe(world.grace, world.room);
  await send(one, world);
  expect(await subscriber.hears(1)).toMatchObject([{ kind: 'message', seq: 1, content: 'hello' }]);
});

it('stores and hands out an event while the bus is away', async () => {
  const { world, ...server } = await startApplication();
  const subscriber = await server.subscribe(world.grace, world.room);
  world.broker.stop();
  expect((await send(server, world)).seq).toBe(1);
  expect(subscriber.heard).toHaveLength(1);
  world.broker.restart();
});

it('notifies the members who do not look at the place, about new messages only', async () => {
  const notified = Promise.withResolvers<Notification>();
  const notifications: Notification[] = [];
  const notify = async (notification: Notification): Promise<void> => {
    notifications.push(notification);
    notified.resolve(notification);
  };
  const { world, ...server } = await startApplication({ ports: { notifier: { isEnabled: true, notify } } });
  const { id } = await send(server, world);
  expect(await notified.promise).toMatchObject({
    userId: world.ada.userId,
    content: 'hello',
    targets: [world.grace.userId],
  });
  const edit = { place: world.room, id, content: 'changed', communityId: null, nonce: null };
  await (await server.app.modifyMessage(world.ada, edit)).result;
  await (await server.app.deleteMessage(world.ada, { ...edit })).result;
  await send(server, world);
  while (notifications.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(notifications.map(({ content }) => content)).toEqual(['hello', 'hello']);
});

it('notifies of a message when the service is back, but not of one that was deleted meanwhile', async () => {
  let isAway = true;
  const notified: string[] = [];
  const notify = async ({ content }: Notification): Promise<void> => {
    if (isAway) throw new Refusal('try-again', 'the notification service cannot be reached');
    notified.push(content);
  };
  const { world, ...server } = await startApplication({ ports: { notifier: { isEnabled: true, notify } } });
  const { id } = await send(server, world);
  const kept = await server.app.sendDirectMessage(world.ada, { ...TEXT, content: 'kept', roomId: world.roomId });
  await kept.result;
  await passTime(world.clock, 1_000);
  await (await server.app.deleteMessage(world.ada, { place: world.room, id, communityId: null, nonce: null })).result;
  isAway = false;
  await passTime(world.clock, 6_000);
  await vi.waitFor(() => expect(notified).toEqual(['kept']));
});

it('stores and hands out an event although nobody can be notified', async () => {
  const notify = () => Promise.reject(new Error('the notification service is away'));
  const { world, ...server } = await startApplication({ ports: { notifier: { isEnabled: true, notify } } });
  const subscriber = await server.subscribe(world.grace, world.room);
  await send(server, world);
  expect(subscriber.heard).toHaveLength(1);
});
