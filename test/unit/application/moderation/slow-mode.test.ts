import { expect, it } from 'vitest';
import { completed, startApplication, type TestServer } from '../../../support/application.ts';
import { passTime, turnEventLoop } from '../../../support/pass-time.ts';
import { smallUpload } from '../../../support/small-upload.ts';

const ADMIN = 'ops';
const TEXT = { name: null, profileImage: null, content: 'x', nonce: null };

async function start() {
  const server = await startApplication();
  const { world, app } = server;
  const other = await world.server({ id: 'server-2' });
  await passTime(world.clock, 500);
  await app.service.slowMode(ADMIN, { place: world.room, seconds: 10 });
  await turnEventLoop();
  const send = (by: Pick<TestServer, 'app'> = server, caller = world.ada, nonce: string | null = null) =>
    completed(() => by.app.sendDirectMessage(caller, { roomId: world.roomId, ...TEXT, nonce }));
  return { ...server, other, send };
}

const slow = (retryAfterMs: number) => expect.objectContaining({ code: 'too-fast', retryAfterMs });

it('lets a user send one message in the interval, over all servers, and says when the next may come', async () => {
  const { world, other, send } = await start();
  await send();
  await passTime(world.clock, 4_000);
  await expect(send(other)).rejects.toEqual(slow(6_000));
  await send(other, world.grace);
  await passTime(world.clock, 6_000);
  await send(other);
  await expect(send()).rejects.toEqual(slow(10_000));
});

it('answers a repeated nonce with the first message, without a turn', async () => {
  const { world, other, send } = await start();
  const first = await send(undefined, world.ada, 'n');
  expect(await send(other, world.ada, 'n')).toEqual(first);
});

it('counts replies and files, but neither edits nor deletions', async () => {
  const { world, app, send } = await start();
  const { ada, roomId, room: place, clock } = world;
  const { id } = await send();
  const reply = () => completed(() => app.replyInRoom(ada, { roomId, parentId: id, ...TEXT }));
  const upload = () => completed(() => app.uploadFile(ada, smallUpload({ place })));
  await expect(reply()).rejects.toEqual(slow(10_000));
  await expect(upload()).rejects.toEqual(slow(10_000));
  const common = { place, communityId: null, id, nonce: null };
  await completed(() => app.modifyMessage(ada, { ...common, content: 'y' }));
  await passTime(clock, 10_000);
  await upload();
  await expect(reply()).rejects.toEqual(slow(10_000));
  await completed(() => app.deleteMessage(ada, common));
});

it('slows no other place, and ends with 0 seconds', async () => {
  const { world, app, other, send } = await start();
  const elsewhere = () => completed(() => app.sendDirectMessage(world.ada, { roomId: world.otherRoomId, ...TEXT }));
  await elsewhere();
  await elsewhere();
  await send();
  expect(other.app.service.slowModes()).toMatchObject([{ place: world.room, seconds: 10, admin: ADMIN }]);
  await other.app.service.slowMode(ADMIN, { place: world.room, seconds: 0 });
  await turnEventLoop();
  await send();
  expect(app.service.slowModes()).toEqual([]);
});

it.each([-1, 1.5, 21_601])('refuses a slow mode of %d seconds', async (seconds) => {
  const { world, app } = await start();
  await expect(app.service.slowMode(ADMIN, { place: world.room, seconds })).rejects.toMatchObject({
    code: 'bad-input',
    message: 'seconds must be a whole number from 0 to 21600',
  });
});
