import { expect, it } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import type { HistoryRange } from '../../../../../src/domain/history.ts';
import type { ConversationKey } from '../../../../../src/domain/place.ts';
import { completed, type TestServerOptions, TestWorld } from '../../../../support/application.ts';
import { smallUpload } from '../../../../support/small-upload.ts';
import { TestUserService } from '../../../../support/user-service.ts';

const TEXT = { name: null, profileImage: null, nonce: null };

async function start(options: (world: TestWorld) => TestServerOptions = () => ({})) {
  const world = await TestWorld.open();
  const server = await world.server(options(world));
  const { app } = server;
  const { roomId, room } = world;
  const say = (content: string) => completed(() => app.sendDirectMessage(world.ada, { roomId, content, ...TEXT }));
  const remove = (id: string) =>
    completed(() => app.deleteMessage(world.ada, { place: room, id, communityId: null, nonce: null }));
  const read = (range: HistoryRange, caller: Caller = world.grace, place: ConversationKey = room) =>
    app.readHistory(caller, { place, range });
  const contents = async (range: HistoryRange) => (await read(range)).entries.map(({ message }) => message.content);
  return { ...server, world, say, remove, read, contents };
}

async function startWithFive() {
  const server = await start(() => ({ limits: { pageSize: 10 } }));
  for (const content of ['1', '2', '3', '4', '5']) await server.say(content);
  return server;
}

it.each<[string, HistoryRange, string[]]>([
  ['the first page with the newest messages', { kind: 'page', page: 0, size: 2 }, ['4', '5']],
  ['the second page with those before', { kind: 'page', page: 1, size: 2 }, ['2', '3']],
  ['the last page with the rest', { kind: 'page', page: 2, size: 2 }, ['1']],
  ['an empty page behind the last one', { kind: 'page', page: 3, size: 2 }, []],
  ['the neighbours before a number', { kind: 'before', seq: 4, size: 2 }, ['2', '3']],
  ['the neighbours after a number', { kind: 'after', seq: 2, size: 2 }, ['3', '4']],
])('reads %s, oldest first', async (_, range, expected) => {
  const { contents } = await startWithFive();
  expect(await contents(range)).toEqual(expected);
});

it('returns the newest number of the place with each page, so that a client can subscribe behind it', async () => {
  const { read, remove, say } = await startWithFive();
  const { id } = await say('6');
  await remove(id);
  expect((await read({ kind: 'page', page: 0, size: 2 })).seq).toBe(7);
});

it('leaves out deleted messages and fills the page with others', async () => {
  const { contents, remove, say } = await startWithFive();
  const { id } = await say('deleted');
  await remove(id);
  expect(await contents({ kind: 'page', page: 0, size: 3 })).toEqual(['3', '4', '5']);
});

it.each([0, -1, 11])('refuses a page of %i messages when 1 to 10 are allowed', async (size) => {
  const { read } = await startWithFive();
  await expect(read({ kind: 'page', page: 0, size })).rejects.toMatchObject({
    code: 'bad-input',
    message: `size is ${size}; it must be from 1 to 10`,
  });
});

it('allows a page of exactly the largest size', async () => {
  const { contents } = await startWithFive();
  expect(await contents({ kind: 'page', page: 0, size: 10 })).toHaveLength(5);
});

it('refuses the history to somebody who is not a member', async () => {
  const { world, read } = await startWithFive();
  const range = { kind: 'page', page: 0, size: 2 } as const;
  await expect(read(range, world.linus)).rejects.toMatchObject({ code: 'not-permitted' });
  await expect(read(range, world.grace, world.privateChannel)).rejects.toMatchObject({ code: 'not-permitted' });
});

it('shows a reply with its parent as it is now, and without one after the parent was deleted', async () => {
  const { world, app, say, read, remove } = await start();
  const { id } = await say('before');
  const reply = { roomId: world.roomId, content: 'reply', parentId: id, ...TEXT };
  await completed(() => app.replyInRoom(world.grace, reply));
  const edit = { place: world.room, id, content: 'after', communityId: null, nonce: null };
  await completed(() => app.modifyMessage(world.ada, edit));
  const newest: HistoryRange = { kind: 'page', page: 0, size: 1 };
  expect((await read(newest)).entries).toMatchObject([{ message: { content: 'reply' }, parent: { content: 'after' } }]);
  await remove(id);
  expect((await read(newest)).entries).toMatchObject([{ message: { parentId: id }, parent: null }]);
});

it('looks up no profiles when all names were stored with the messages', async () => {
  const { read } = await startWithFive();
  expect((await read({ kind: 'page', page: 0, size: 5 })).profiles.size).toBe(0);
});

it('with a user service, returns the profiles of all authors on the page, those of parents included', async () => {
  const { world, app, read, say } = await start(({ ada, grace, linus }) => ({
    ports: {
      users: new TestUserService({
        [ada.userId]: { name: 'Ada Lovelace', image: null },
        [grace.userId]: { name: 'Grace Hopper', image: null },
        [linus.userId]: { name: 'Linus', image: null },
      }),
    },
  }));
  const { id } = await say('question');
  const reply = { roomId: world.roomId, content: 'reply', parentId: id, ...TEXT };
  await completed(() => app.replyInRoom(world.grace, reply));
  const { profiles } = await read({ kind: 'page', page: 0, size: 1 });
  expect([...profiles].map(([userId, { name }]) => [userId, name]).sort()).toEqual([
    [world.ada.userId, 'Ada Lovelace'],
    [world.grace.userId, 'Grace Hopper'],
  ]);
});

it('shows a file with its key', async () => {
  const { world, app, read } = await start();
  const { content } = await completed(() => app.uploadFile(world.ada, smallUpload({ place: world.room })));
  expect((await read({ kind: 'page', page: 0, size: 1 })).entries).toMatchObject([
    { message: { type: 'image', content } },
  ]);
});
