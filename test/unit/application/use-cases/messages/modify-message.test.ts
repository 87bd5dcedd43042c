import { expect, it } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import { completed, startApplication } from '../../../../support/application.ts';
import { smallUpload } from '../../../../support/small-upload.ts';

const TEXT = { name: null, profileImage: null, nonce: null };

async function start() {
  const server = await startApplication({ limits: { contentChars: 10 } });
  const { app, world, ports } = server;
  const { roomId } = world;
  const { id } = await completed(() => app.sendDirectMessage(world.ada, { roomId, content: 'before', ...TEXT }));
  const modify = (caller: Caller, change: Partial<Parameters<typeof app.modifyMessage>[1]> = {}) =>
    completed(() =>
      app.modifyMessage(caller, { place: world.room, id, content: 'after', communityId: null, nonce: null, ...change }),
    );
  const contentNow = async () => (await ports.store.messages(world.room, [id])).get(id)?.content;
  const newest = async () => (await ports.store.newest([world.room])).get(world.room);
  return { ...server, id, modify, contentNow, newest };
}

it('replaces the text of a message of the caller and delivers the edit with the time of the message', async () => {
  const { world, subscribe, modify, contentNow, id } = await start();
  const sentAt = world.clock.now();
  const grace = await subscribe(world.grace, world.room);
  world.clock.pass(5_000);
  expect(await modify(world.ada)).toEqual({ seq: 2, id });
  expect(await contentNow()).toBe('after');
  expect(await grace.hears(1)).toMatchObject([{ kind: 'modify', seq: 2, id, content: 'after', time: sentAt }]);
});

it('refuses an edit by somebody who is not the author, and stores nothing', async () => {
  const { world, modify, contentNow, newest } = await start();
  await expect(modify(world.grace)).rejects.toMatchObject({ code: 'not-the-author' });
  expect([await contentNow(), await newest()]).toEqual(['before', 1]);
});

it('refuses an edit by an author who is no longer a member', async () => {
  const { world, app, modify, contentNow } = await start();
  await app.replaceMembers(world.room, [world.grace.userId]);
  await expect(modify(world.ada)).rejects.toMatchObject({ code: 'not-permitted' });
  expect(await contentNow()).toBe('before');
});

it('refuses an edit that names another place than that of the message', async () => {
  const { world, modify } = await start();
  await expect(modify(world.ada, { place: world.otherRoom })).rejects.toMatchObject({ code: 'message-not-found' });
});

it('refuses an edit of a deleted message', async () => {
  const { world, app, modify, id } = await start();
  await completed(() => app.deleteMessage(world.ada, { place: world.room, id, communityId: null, nonce: null }));
  await expect(modify(world.ada)).rejects.toMatchObject({ code: 'message-not-found' });
});

it('refuses an edit of a file, which has no text', async () => {
  const { world, app, modify } = await start();
  const { id } = await completed(() => app.uploadFile(world.ada, smallUpload({ place: world.room })));
  await expect(modify(world.ada, { id })).rejects.toMatchObject({ code: 'bad-input' });
});

it('refuses an edit whose text is over the limit', async () => {
  const { world, modify } = await start();
  await expect(modify(world.ada, { content: 'x'.repeat(11) })).rejects.toMatchObject({
    code: 'too-large',
    message: 'content has 11 characters; the limit is 10',
  });
});
