import { expect, it } from 'vitest';
import { completed, startApplication } from '../../../../support/application.ts';

const TEXT = { content: 'text', name: null, profileImage: null, nonce: null };

it('returns each room once, the newest message first and rooms without messages last, in the order asked', async () => {
  const { app, world } = await startApplication();
  const { ada, linus, grace, roomId, otherRoomId } = world;
  await completed(() => app.sendDirectMessage(grace, { roomId, ...TEXT }));
  world.clock.jump(1_000);
  await completed(() => app.sendDirectMessage(linus, { roomId: otherRoomId, ...TEXT }));
  await completed(() => app.sendDirectMessage(linus, { roomId: otherRoomId, ...TEXT }));
  const [emptyRoom, otherEmptyRoom] = [roomId + 50, roomId + 51];
  const now = world.clock.now();
  expect(
    await app.countUnread(ada.userId, [otherEmptyRoom, emptyRoom, roomId, otherRoomId, roomId, emptyRoom]),
  ).toEqual([
    { roomId: otherRoomId, count: 2, newestTime: now },
    { roomId, count: 1, newestTime: now - 1_000 },
    { roomId: otherEmptyRoom, count: 0, newestTime: null },
    { roomId: emptyRoom, count: 0, newestTime: null },
  ]);
});

it('does not count messages of the user', async () => {
  const { app, world } = await startApplication();
  const { ada, roomId } = world;
  await completed(() => app.sendDirectMessage(ada, { roomId, ...TEXT }));
  expect(await app.countUnread(ada.userId, [roomId])).toMatchObject([{ count: 0, newestTime: world.clock.now() }]);
});

it('returns nothing for no rooms', async () => {
  const { app, world } = await startApplication();
  expect(await app.countUnread(world.ada.userId, [])).toEqual([]);
});
