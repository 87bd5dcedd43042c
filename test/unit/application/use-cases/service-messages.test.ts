import { expect, it } from 'vitest';
import { completed, startApplication } from '../../../support/application.ts';
import { smallUpload } from '../../../support/small-upload.ts';

const TEXT = { name: null, profileImage: null, content: 'x', nonce: null };

async function start() {
  const server = await startApplication();
  const { world } = server;
  const message = {
    place: world.room,
    userId: world.ada.userId,
    content: 'hello',
    communityId: null,
    parentId: null,
    nonce: null,
  };
  return { ...server, message };
}

it('sends a message in the name of a user, which members see like any other', async () => {
  const { world, app, subscribe, message } = await start();
  const grace = await subscribe(world.grace, world.room);
  const { id } = await app.service.sendMessage(message);
  expect(await grace.hears(1)).toMatchObject([
    { kind: 'message', id, seq: 1, userId: world.ada.userId, name: 'Ada', content: 'hello' },
  ]);
});

it('sends a reply, and refuses one to a message that does not exist', async () => {
  const { world, app, subscribe, message } = await start();
  const parentId = (await app.service.sendMessage(message)).id;
  const grace = await subscribe(world.grace, world.room);
  await app.service.sendMessage({ ...message, userId: world.linus.userId, parentId });
  expect(await grace.hears(1)).toMatchObject([{ kind: 'reply', parentId, parentContent: 'hello', name: 'Linus' }]);
  const unknown = { ...message, parentId: '0'.repeat(24) };
  await expect(app.service.sendMessage(unknown)).rejects.toMatchObject({ code: 'message-not-found' });
});

it('stores a message with the same nonce once', async () => {
  const { app, message } = await start();
  const first = await app.service.sendMessage({ ...message, nonce: 'parcel-77' });
  expect(await app.service.sendMessage({ ...message, nonce: 'parcel-77', content: 'again' })).toEqual(first);
});

it.each([
  ['blank content', { content: ' ' }, 'bad-input'],
  ['a nonce that is too long', { nonce: 'x'.repeat(65) }, 'bad-input'],
  ['a room that does not exist', { place: 'r-999999' }, 'not-permitted'],
] as const)('refuses a message with %s', async (_, change, code) => {
  const { app, message } = await start();
  await expect(app.service.sendMessage({ ...message, ...change })).rejects.toMatchObject({ code });
});

it('sends a message to a channel with its community', async () => {
  const { world, app, subscribe, message } = await start();
  const grace = await subscribe(world.grace, world.channel);
  await app.service.sendMessage({ ...message, place: world.channel, communityId: world.communityId });
  expect(await grace.hears(1)).toMatchObject([{ place: world.channel, communityId: world.communityId }]);
});

it('deletes a message of any author, and the bytes of a file', async () => {
  const { world, app, subscribe } = await start();
  const { ada, grace, roomId, room: place } = world;
  const text = await completed(() => app.sendDirectMessage(ada, { roomId, ...TEXT }));
  const file = await completed(() => app.uploadFile(grace, smallUpload({ place })));
  const heard = await subscribe(grace, place);
  expect(await app.service.deleteMessage({ place, id: text.id })).toEqual({ id: text.id, seq: 3, userId: ada.userId });
  expect(await app.service.deleteMessage({ place, id: file.id })).toMatchObject({ seq: 4, userId: grace.userId });
  expect(await heard.hears(2)).toMatchObject([
    { kind: 'delete', id: text.id, userId: ada.userId, seq: 3 },
    { kind: 'delete', id: file.id, userId: grace.userId, seq: 4 },
  ]);
  await expect.poll(() => app.openFile(file.content)).toBeNull();
});

it('refuses to delete a message twice, or in another place than its own', async () => {
  const { world, app, message } = await start();
  const { id } = await app.service.sendMessage(message);
  const missing = expect.objectContaining({ code: 'message-not-found' });
  await expect(app.service.deleteMessage({ place: world.otherRoom, id })).rejects.toEqual(missing);
  await app.service.deleteMessage({ place: world.room, id });
  await expect(app.service.deleteMessage({ place: world.room, id })).rejects.toEqual(missing);
});
