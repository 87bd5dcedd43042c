import { expect, it } from 'vitest';
import type { Whereabouts } from '../../../../../src/domain/whereabouts.ts';
import { startApplication, type TestServerOptions } from '../../../../support/application.ts';
import { TestClient } from '../../../../support/test-client.ts';
import { absentReporter } from './absent-reporter.ts';

/** Ada has a session. Grace has written to the room and to the channel. */
async function setUp(options: TestServerOptions = {}) {
  const { world, app, ports } = await startApplication(options);
  const { ada, grace } = world;
  const sessionId = `moving-${ada.userId}`;
  app.userConnected({ sessionId, token: ada.token, claimedUserId: null, client: new TestClient() });
  const message = { content: 'hi', name: null, profileImage: null, nonce: null };
  const { communityId, channelId, roomId } = world;
  const written = [
    await app.sendDirectMessage(grace, { ...message, roomId }),
    await app.sendChannelMessage(grace, { ...message, communityId, channelId }),
  ];
  await Promise.all(written.map(({ result }) => result));
  world.clock.pass(10);
  const move = async (whereabouts: Whereabouts, caller = ada) => {
    const { result } = await app.moveToPlace(caller, { sessionId, whereabouts });
    await result;
  };
  /** Grace writes to the room once more. Time passes before and after it. */
  const writeToRoom = async () => {
    world.clock.pass(10);
    await (await app.sendDirectMessage(grace, { ...message, roomId })).result;
    world.clock.pass(10);
  };
  const unread = async () => {
    const counts = await ports.markers.unread(ada.userId, [world.room, world.channel]);
    return counts.map(({ count }) => count);
  };
  const room: Whereabouts = { kind: 'conversation', key: world.room };
  const channel: Whereabouts = { kind: 'conversation', key: world.channel };
  return { world, move, writeToRoom, unread, sessionId, room, channel };
}

it('reports to the presence service where the user looks', async () => {
  const { world, move, sessionId, room } = await setUp();
  await move(room);
  expect(await world.reporter.notLooking(world.room, [world.ada.userId])).toEqual([]);
  await move({ kind: 'home' });
  expect(await world.reporter.logout(sessionId)).toEqual({ userId: world.ada.userId, whereabouts: { kind: 'home' } });
});

it('counts the conversation that the user enters as read', async () => {
  const { move, unread, room } = await setUp();
  expect(await unread()).toEqual([1, 1]);
  await move(room);
  expect(await unread()).toEqual([0, 1]);
});

it('counts the conversation that the user leaves as read', async () => {
  const { move, writeToRoom, unread, room } = await setUp();
  await move(room);
  await writeToRoom();
  expect(await unread()).toEqual([1, 1]);
  await move({ kind: 'home' });
  expect(await unread()).toEqual([0, 1]);
});

it('counts the conversation as read where the user looked according to the presence service', async () => {
  const { world, move, unread, room, channel } = await setUp();
  await world.reporter.moved(world.ada.userId, room);
  await move(channel);
  expect(await unread()).toEqual([0, 0]);
});

it('counts the conversation that the session leaves as read while the presence service is away', async () => {
  const { move, writeToRoom, unread, room, channel } = await setUp({ ports: { reporter: absentReporter } });
  await move(room);
  await writeToRoom();
  await move(channel);
  expect(await unread()).toEqual([0, 0]);
});

it('refuses a move into a conversation of others, and does not report it', async () => {
  const { world, move, room } = await setUp();
  await expect(move(room, world.linus)).rejects.toMatchObject({ code: 'not-permitted' });
  expect(await world.reporter.notLooking(world.room, [world.linus.userId])).toEqual([world.linus.userId]);
});

it('refuses a move into a voice channel by somebody who is not in the community', async () => {
  const { world, move } = await setUp();
  const { communityId, channelId } = world;
  const voice: Whereabouts = { kind: 'voice', communityId, channelId };
  await expect(move(voice, world.linus)).rejects.toMatchObject({ code: 'not-permitted' });
  await expect(move(voice)).resolves.toBeUndefined();
});

it('refuses moves that follow each other faster than the limit', async () => {
  const { world, move } = await setUp({ limits: { messagesPerSecond: 1, messagesBurst: 2 } });
  const home: Whereabouts = { kind: 'home' };
  await move(home);
  await move(home);
  await expect(move(home)).rejects.toMatchObject({ code: 'too-fast' });
  world.clock.pass(1_000);
  await expect(move(home)).resolves.toBeUndefined();
});
