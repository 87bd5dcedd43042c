import { expect, it } from 'vitest';
import { completed, startApplication } from '../../../../support/application.ts';
import { smallUpload } from '../../../../support/small-upload.ts';

const TEXT = { name: null, profileImage: null, nonce: null };
const UNKNOWN_ID = '0000000000000000000000ff';

async function start() {
  const server = await startApplication();
  const { app, world, subscribe } = server;
  const { roomId } = world;
  const grace = await subscribe(world.grace, world.room);
  const say = (content: string) => completed(() => app.sendDirectMessage(world.ada, { roomId, content, ...TEXT }));
  const reply = (parentId: string) =>
    completed(() => app.replyInRoom(world.grace, { roomId, content: 'reply', parentId, ...TEXT }));
  const remove = (id: string) =>
    completed(() => app.deleteMessage(world.ada, { place: world.room, id, communityId: null, nonce: null }));
  return { ...server, grace, say, reply, remove };
}

it('stores a reply that quotes the text of its parent and the current name of its author', async () => {
  const { world, grace, app, reply } = await start();
  const { roomId } = world;
  const message = { roomId, content: 'question', ...TEXT, name: 'an old name' };
  const { id } = await completed(() => app.sendDirectMessage(world.ada, message));
  await reply(id);
  const [, event] = await grace.hears(2);
  expect(event).toMatchObject({
    kind: 'reply',
    seq: 2,
    content: 'reply',
    name: 'Grace',
    parentId: id,
    parentName: 'Ada',
    parentContent: 'question',
  });
});

it('quotes the name that was stored with the parent when the directory does not know its author', async () => {
  const { world, grace, app, reply } = await start();
  const stranger = { ...world.linus, userId: world.linus.userId + 50 };
  await app.replaceMembers(world.room, [stranger.userId, world.grace.userId]);
  const { roomId } = world;
  const message = { roomId, content: 'hi', ...TEXT, name: 'Stranger' };
  const { id } = await completed(() => app.sendDirectMessage(stranger, message));
  await reply(id);
  const [, event] = await grace.hears(2);
  expect(event).toMatchObject({ parentName: 'Stranger' });
});

it('quotes the edited text of its parent', async () => {
  const { world, grace, app, say, reply } = await start();
  const { id } = await say('before');
  const edit = { place: world.room, id, content: 'after', communityId: null, nonce: null };
  await completed(() => app.modifyMessage(world.ada, edit));
  await reply(id);
  const [, , event] = await grace.hears(3);
  expect(event).toMatchObject({ kind: 'reply', parentContent: 'after' });
});

it('quotes a file by its type and not by its key', async () => {
  const { world, grace, app, reply } = await start();
  const { id } = await completed(() => app.uploadFile(world.ada, smallUpload({ place: world.room })));
  await reply(id);
  const [, event] = await grace.hears(2);
  expect(event).toMatchObject({ kind: 'reply', parentContent: 'image' });
});

it('stores a reply in a channel with its community', async () => {
  const { world, app, subscribe } = await start();
  const { channelId, communityId } = world;
  const subscriber = await subscribe(world.grace, world.channel);
  const { id } = await completed(() =>
    app.sendChannelMessage(world.ada, { channelId, communityId, content: 'question', ...TEXT }),
  );
  await completed(() =>
    app.replyInChannel(world.grace, { channelId, communityId, content: 'answer', parentId: id, ...TEXT }),
  );
  const [, event] = await subscriber.hears(2);
  expect(event).toMatchObject({ kind: 'reply', place: world.channel, communityId, parentContent: 'question' });
});

it('refuses a reply to a message that does not exist and names it', async () => {
  const { world, reply } = await start();
  await expect(reply(UNKNOWN_ID)).rejects.toMatchObject({
    code: 'message-not-found',
    message: `there is no message ${UNKNOWN_ID} in ${world.room} to reply to`,
  });
});

it('refuses a reply to a message of another place', async () => {
  const { world, app, reply } = await start();
  const elsewhere = { roomId: world.otherRoomId, content: 'elsewhere', ...TEXT };
  const { id } = await completed(() => app.sendDirectMessage(world.ada, elsewhere));
  await expect(reply(id)).rejects.toMatchObject({ code: 'message-not-found' });
});

it('refuses a reply to a deleted message', async () => {
  const { say, reply, remove } = await start();
  const { id } = await say('question');
  await remove(id);
  await expect(reply(id)).rejects.toMatchObject({ code: 'message-not-found' });
});

it('refuses a reply that comes right behind the deletion of its parent, in the same batch', async () => {
  const { say, reply, remove } = await start();
  const { id } = await say('question');
  const [removed, replied] = await Promise.allSettled([remove(id), reply(id)]);
  expect(removed.status).toBe('fulfilled');
  expect(replied).toMatchObject({ status: 'rejected', reason: { code: 'message-not-found' } });
});
