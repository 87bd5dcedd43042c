import { expect, it } from 'vitest';
import type { NewMessage } from '../../../../../src/application/application.ts';
import type { Caller } from '../../../../../src/application/commands.ts';
import { completed, startApplication, TestWorld } from '../../../../support/application.ts';
import { TestUserService } from '../../../../support/user-service.ts';

const HELLO: NewMessage = { content: 'hello', name: 'Countess', profileImage: 'c.png', nonce: null };

async function start(options: Parameters<typeof startApplication>[0] = {}) {
  const server = await startApplication(options);
  const { app, world } = server;
  const send = (caller: Caller, message: Partial<NewMessage> = {}) =>
    completed(() => app.sendDirectMessage(caller, { roomId: world.roomId, ...HELLO, ...message }));
  const newestOf = async (place = world.room) => (await server.ports.store.newest([place])).get(place);
  return { ...server, send, newestOf };
}

it('stores a room message under the next number and delivers it to the room', async () => {
  const { world, send, subscribe } = await start();
  const grace = await subscribe(world.grace, world.room);
  const { seq, id } = await send(world.ada);
  expect(seq).toBe(1);
  expect(await grace.hears(1)).toEqual([
    {
      kind: 'message',
      place: world.room,
      seq: 1,
      id,
      userId: world.ada.userId,
      time: world.clock.now(),
      nonce: null,
      communityId: null,
      name: 'Countess',
      profileImage: 'c.png',
      content: 'hello',
    },
  ]);
});

it('delivers a channel message, with its community, to subscribers on another server', async () => {
  const world = await TestWorld.open();
  const { app } = await world.server({ id: 'server-1' });
  const other = await world.server({ id: 'server-2' });
  const grace = await other.subscribe(world.grace, world.channel);
  const { channelId, communityId } = world;
  await completed(() => app.sendChannelMessage(world.ada, { communityId, channelId, ...HELLO }));
  expect(await grace.hears(1)).toMatchObject([{ kind: 'message', place: world.channel, seq: 1, communityId }]);
});

it('numbers messages in the order of the calls', async () => {
  const { world, send } = await start();
  const receipts = await Promise.all(['a', 'b', 'c'].map((content) => send(world.ada, { content })));
  expect(receipts.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

it('refuses a message to a room from somebody who is not a member, and stores nothing', async () => {
  const { world, send, newestOf } = await start();
  await expect(send(world.linus)).rejects.toMatchObject({ code: 'not-permitted' });
  expect(await newestOf()).toBe(0);
});

it('refuses a channel message that names another community', async () => {
  const { world, app } = await start();
  const message = { communityId: world.communityId + 1, channelId: world.channelId, ...HELLO };
  await expect(completed(() => app.sendChannelMessage(world.ada, message))).rejects.toMatchObject({
    code: 'not-permitted',
  });
});

it('refuses a message to a private channel from a member of the community who is not in it', async () => {
  const { world, app } = await start();
  const message = { communityId: world.communityId, channelId: world.privateChannelId, ...HELLO };
  await expect(completed(() => app.sendChannelMessage(world.grace, message))).rejects.toMatchObject({
    code: 'not-permitted',
  });
});

it('refuses a message over the limit of LIMIT_CONTENT_CHARS, and allows one of exactly that length', async () => {
  const { world, send } = await start({ limits: { contentChars: 5 } });
  await expect(send(world.ada, { content: '123456' })).rejects.toMatchObject({ code: 'too-large' });
  expect(await send(world.ada, { content: '12345' })).toMatchObject({ seq: 1 });
});

it('refuses messages over the rate of one user, and not those of others', async () => {
  const { world, send } = await start({ limits: { messagesPerSecond: 1, messagesBurst: 2 } });
  await send(world.ada);
  await send(world.ada);
  await expect(send(world.ada)).rejects.toMatchObject({ code: 'too-fast' });
  expect(await send(world.grace)).toMatchObject({ seq: 3 });
  world.clock.pass(1_000);
  expect(await send(world.ada)).toMatchObject({ seq: 4 });
});

it.each([
  ['the name that the client claims', 'ada', { name: 'Countess', profileImage: 'c.png' }, ['Countess', 'c.png']],
  ['the name of the directory without a claim', 'ada', { name: null, profileImage: null }, ['Ada', null]],
] as const)('without a user service, writes under %s', async (_, who, claim, expected) => {
  const { world, send, subscribe } = await start();
  const grace = await subscribe(world.grace, world.room);
  await send(world[who], claim);
  const [event] = await grace.hears(1);
  expect(event).toMatchObject({ name: expected[0], profileImage: expected[1] });
});

it('without a user service, writes under the id of a user who claims no name and is not in the directory', async () => {
  const { world, send, subscribe } = await start();
  const stranger = { ...world.linus, userId: world.linus.userId + 50 };
  await world.memberCache.put(world.room, [world.grace.userId, stranger.userId]);
  const grace = await subscribe(world.grace, world.room);
  await send(stranger, { name: null });
  await send(stranger, { name: ' \u200b' });
  const name = `user ${stranger.userId}`;
  expect(await grace.hears(2)).toMatchObject([{ name }, { name }]);
});

it('without a user service, refuses a claimed name over 200 characters', async () => {
  const { world, send } = await start();
  await expect(send(world.ada, { name: 'x'.repeat(201) })).rejects.toMatchObject({ code: 'too-large' });
});

it('with a user service, writes under its name and picture, whatever the client claims', async () => {
  const world = await TestWorld.open();
  const users = new TestUserService({ [world.ada.userId]: { name: 'Ada Lovelace', image: 'real.png' } });
  const { app, subscribe } = await world.server({ ports: { users } });
  const grace = await subscribe(world.grace, world.room);
  const forged = { ...HELLO, name: 'x'.repeat(201) };
  // The first message asks the service, the second finds the profile in the cache.
  await completed(() => app.sendDirectMessage(world.ada, { roomId: world.roomId, ...forged }));
  await completed(() => app.sendDirectMessage(world.ada, { roomId: world.roomId, ...forged }));
  const shown = { name: 'Ada Lovelace', profileImage: 'real.png' };
  expect(await grace.hears(2)).toMatchObject([shown, shown]);
});

it('with a user service that does not know the user, writes under the claimed name, otherwise under the id', async () => {
  const world = await TestWorld.open();
  const { app, subscribe } = await world.server({ ports: { users: new TestUserService({}) } });
  const grace = await subscribe(world.grace, world.room);
  const send = (name: string | null) =>
    completed(() => app.sendDirectMessage(world.ada, { roomId: world.roomId, ...HELLO, name }));
  await send('Countess');
  await send(null);
  await send('');
  const unnamed = { name: `user ${world.ada.userId}`, profileImage: null };
  expect(await grace.hears(3)).toMatchObject([{ name: 'Countess', profileImage: null }, unnamed, unnamed]);
  await expect(send('x'.repeat(201))).rejects.toMatchObject({ code: 'too-large' });
});
