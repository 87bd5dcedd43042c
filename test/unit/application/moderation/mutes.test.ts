import { expect, it } from 'vitest';
import type { Caller } from '../../../../src/application/commands.ts';
import type { ConversationKey } from '../../../../src/domain/place.ts';
import { completed, startApplication, type TestServer, type TestWorld } from '../../../support/application.ts';
import { passTime, turnEventLoop } from '../../../support/pass-time.ts';
import { smallUpload } from '../../../support/small-upload.ts';

const ADMIN = 'ops';
const TEXT = { name: null, profileImage: null, content: 'x', nonce: null };

/** The codes with which each kind of writing is refused; `done` for one that is allowed. */
async function attempts({ app }: TestServer, world: TestWorld, caller: Caller, id: string) {
  const { room: place, roomId } = world;
  const outcome = async (act: () => unknown): Promise<string> => {
    try {
      await act();
      return 'done';
    } catch (error) {
      return String((error as { code?: unknown }).code);
    }
  };
  const common = { place, communityId: null };
  return {
    message: await outcome(() => completed(() => app.sendDirectMessage(caller, { roomId, ...TEXT }))),
    reply: await outcome(() => completed(() => app.replyInRoom(caller, { roomId, parentId: id, ...TEXT }))),
    edit: await outcome(() => completed(() => app.modifyMessage(caller, { ...common, id, content: 'y', nonce: null }))),
    typing: await outcome(() => completed(() => app.showTyping(caller, { ...common, name: 'x' }))),
    upload: await outcome(() => completed(() => app.uploadFile(caller, smallUpload({ place })))),
    deletion: await outcome(() => completed(() => app.deleteMessage(caller, { ...common, id, nonce: null }))),
  };
}

const REFUSED = {
  message: 'not-permitted',
  reply: 'not-permitted',
  edit: 'not-permitted',
  typing: 'not-permitted',
  upload: 'not-permitted',
  deletion: 'done',
};
const ALLOWED = { message: 'done', reply: 'done', edit: 'done', typing: 'done', upload: 'done', deletion: 'done' };

async function start() {
  const server = await startApplication();
  const { world, app } = server;
  const other = await world.server({ id: 'server-2' });
  await passTime(world.clock, 500);
  const { roomId, ada } = world;
  const send = async () => (await completed(() => app.sendDirectMessage(ada, { roomId, ...TEXT }))).id;
  return { ...server, other, send };
}

it.each([
  ['in the place', (place: ConversationKey) => place],
  ['everywhere', () => null],
])('refuses everything that a user writes who is muted %s, but deletions', async (_, placeOf) => {
  const { world, app, other, send, subscribers, telemetry, subscribe, ports } = await start();
  const id = await send();
  const { ada, room } = world;
  await app.service.mute(ADMIN, { userId: ada.userId, place: placeOf(room), until: null });
  await turnEventLoop();
  expect(await attempts(other, world, ada, id)).toEqual(REFUSED);
  const here = { app, subscribers, telemetry, subscribe, ports };
  expect(await attempts(here, world, ada, await sendAfterUnmute())).toEqual(ALLOWED);

  async function sendAfterUnmute(): Promise<string> {
    await other.app.service.unmute(ADMIN, { userId: ada.userId, place: placeOf(room) });
    await turnEventLoop();
    return send();
  }
});

it('mutes neither another place nor another user', async () => {
  const { world, app } = await start();
  const { ada, grace, room, otherRoomId, roomId } = world;
  await app.service.mute(ADMIN, { userId: ada.userId, place: room, until: null });
  await completed(() => app.sendDirectMessage(ada, { roomId: otherRoomId, ...TEXT }));
  await completed(() => app.sendDirectMessage(grace, { roomId, ...TEXT }));
  expect(() => app.sendDirectMessage(ada, { roomId, ...TEXT })).toThrow(`you are muted in ${room}`);
});

it('ends a mute at its time, and says when that is', async () => {
  const { world, app } = await start();
  const { ada, roomId, clock } = world;
  await app.service.mute(ADMIN, { userId: ada.userId, place: null, until: clock.now() + 60_000 });
  expect(() => app.sendDirectMessage(ada, { roomId, ...TEXT })).toThrow('you are muted until 2026-11-22 15:50:36 UTC');
  await passTime(clock, 60_000);
  await completed(() => app.sendDirectMessage(ada, { roomId, ...TEXT }));
  expect(app.service.mutes()).toEqual([]);
});

it('lists the mutes that hold, each place by itself', async () => {
  const { world, app, other } = await start();
  const { ada, room, clock } = world;
  const at = clock.now();
  await app.service.mute(ADMIN, { userId: ada.userId, place: room, until: null });
  await app.service.mute('app', { userId: ada.userId, place: null, until: at + 1_000 });
  await turnEventLoop();
  expect(other.app.service.mutes()).toEqual([
    { userId: ada.userId, place: room, until: null, admin: ADMIN, at },
    { userId: ada.userId, place: null, until: at + 1_000, admin: 'app', at },
  ]);
});

it('lets an administrator send in the name of a muted user', async () => {
  const { world, app } = await start();
  const { ada, room } = world;
  await app.service.mute(ADMIN, { userId: ada.userId, place: null, until: null });
  const message = { place: room, userId: ada.userId, content: 'x', communityId: null, parentId: null, nonce: null };
  expect(await app.service.sendMessage(message)).toMatchObject({ seq: 1 });
});
