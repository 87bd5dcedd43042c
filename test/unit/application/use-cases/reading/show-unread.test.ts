import { expect, it } from 'vitest';
import { MemorySessionReporter } from '../../../../../src/adapters/memory/session-reporter.ts';
import type { Caller } from '../../../../../src/application/commands.ts';
import { Refusal } from '../../../../../src/domain/errors.ts';
import type { ConversationKey } from '../../../../../src/domain/place.ts';
import { completed, startApplication, type TestServerOptions } from '../../../../support/application.ts';
import { TestClient } from '../../../../support/test-client.ts';

const TEXT = { content: 'text', name: null, profileImage: null, nonce: null };

async function start(options: TestServerOptions = {}) {
  const server = await startApplication(options);
  const { app, world } = server;
  const { communityId, channelId } = world;
  const say = (caller: Caller, roomId = world.roomId) =>
    completed(() => app.sendDirectMessage(caller, { roomId, ...TEXT }));
  const sayInChannel = (caller: Caller) =>
    completed(() => app.sendChannelMessage(caller, { communityId, channelId, ...TEXT }));
  const unread = (caller: Caller, ...places: ConversationKey[]) => app.unread(caller, { places });
  const sessionId = 'session of Ada';
  app.userConnected({ sessionId, token: world.ada.token, claimedUserId: null, client: new TestClient() });
  const openAsAda = (key: ConversationKey) =>
    completed(() => app.moveToPlace(world.ada, { sessionId, whereabouts: { kind: 'conversation', key } }));
  return { ...server, say, sayInChannel, unread, openAsAda };
}

it('counts the messages of others in rooms and channels, in the order of the places asked', async () => {
  const { world, say, sayInChannel, unread } = await start();
  await say(world.ada);
  await say(world.ada);
  await say(world.grace);
  world.clock.jump(1_000);
  await sayInChannel(world.ada);
  expect(await unread(world.grace, world.channel, world.room)).toEqual([
    { place: world.channel, count: 1, newestTime: world.clock.now(), seq: 1 },
    { place: world.room, count: 2, newestTime: world.clock.now() - 1_000, seq: 3 },
  ]);
});

it('returns a place that was named twice once, and a place without messages with the number 0', async () => {
  const { world, unread } = await start();
  expect(await unread(world.grace, world.room, world.room)).toEqual([
    { place: world.room, count: 0, newestTime: null, seq: 0 },
  ]);
});

it('counts nothing in the conversation that the user looks at now, and the rest in others', async () => {
  const { world, say, unread, openAsAda } = await start();
  await openAsAda(world.room);
  world.clock.jump(1);
  await say(world.grace);
  await say(world.linus, world.otherRoomId);
  expect(await unread(world.ada, world.room, world.otherRoom)).toMatchObject([
    { place: world.room, count: 0, seq: 1 },
    { place: world.otherRoom, count: 1 },
  ]);
});

it('counts messages since the user last looked at the conversation', async () => {
  const { world, say, unread, openAsAda } = await start();
  await say(world.grace);
  world.clock.jump(1);
  await openAsAda(world.room);
  world.clock.jump(1);
  await openAsAda(world.otherRoom);
  world.clock.jump(1);
  await say(world.grace);
  expect(await unread(world.ada, world.room)).toMatchObject([{ count: 1 }]);
});

it('knows from its own sessions where the user looks when the presence service does not answer', async () => {
  class AwayReporter extends MemorySessionReporter {
    override notLooking(): Promise<never> {
      return Promise.reject(new Refusal('try-again', 'the presence service does not answer'));
    }
  }
  const { world, say, unread, openAsAda } = await start({ ports: { reporter: new AwayReporter() } });
  await openAsAda(world.room);
  world.clock.jump(1);
  await say(world.grace);
  await say(world.linus, world.otherRoomId);
  expect(await unread(world.ada, world.room, world.otherRoom)).toMatchObject([{ count: 0 }, { count: 1 }]);
});

it('answers the places that the user may read, and gives the refusal of each other place', async () => {
  const { world, say, unread } = await start();
  await say(world.ada);
  expect(await unread(world.grace, world.otherRoom, world.room, 'r-999999')).toMatchObject([
    { place: world.otherRoom, refusal: { code: 'not-permitted' } },
    { place: world.room, count: 1, seq: 1 },
    { place: 'r-999999', refusal: { code: 'not-permitted' } },
  ]);
});

it('answers an empty list of places by an empty list', async () => {
  const { world, unread } = await start();
  expect(await unread(world.grace)).toEqual([]);
});

it('refuses a request for more than 200 places, and allows one for 200', async () => {
  const { world, unread } = await start();
  const places = (count: number) => Array<ConversationKey>(count).fill(world.room);
  await expect(unread(world.grace, ...places(201))).rejects.toMatchObject({
    code: 'bad-input',
    message: 'the request names 201 places; the limit is 200',
  });
  expect(await unread(world.grace, ...places(200))).toHaveLength(1);
});

it('counts a message that came after the user left, although the wall clock was set back in between', async () => {
  const { world, say, unread, openAsAda } = await start();
  await say(world.grace);
  await openAsAda(world.room);
  await openAsAda(world.otherRoom);
  world.clock.jump(-120_000);
  await say(world.grace);
  expect(await unread(world.ada, world.room)).toMatchObject([{ count: 1, seq: 2 }]);
  await openAsAda(world.room);
  await openAsAda(world.otherRoom);
  expect(await unread(world.ada, world.room)).toMatchObject([{ count: 0, seq: 2 }]);
});

it('counts a message whose server has a clock behind that of the server which the user left', async () => {
  const { world, say, unread, openAsAda } = await start();
  await openAsAda(world.room);
  world.clock.jump(3_000);
  await openAsAda(world.otherRoom);
  world.clock.jump(-3_000);
  await say(world.grace);
  expect(await unread(world.ada, world.room)).toMatchObject([{ count: 1 }]);
  world.clock.jump(60_000);
  expect(await unread(world.ada, world.room)).toMatchObject([{ count: 1 }]);
});
