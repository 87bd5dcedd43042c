import { expect, it } from 'vitest';
import { startApplication, type TestServerOptions } from '../../../../support/application.ts';
import { TestClient } from '../../../../support/test-client.ts';
import { absentReporter } from './absent-reporter.ts';

/** Ada has a session, and Grace hears what happens in their community. */
async function setUp(options: TestServerOptions = {}) {
  const { world, app, ports, subscribers } = await startApplication(options);
  const { ada, communityId, channelId } = world;
  const sessionId = `voice-${ada.userId}`;
  app.userConnected({ sessionId, token: ada.token, claimedUserId: null, client: new TestClient() });
  const community = subscribers.join(world.grace, world.community);
  const enter = async (caller = ada, channel = channelId) => {
    const { result } = await app.enterVoiceChannel(caller, { sessionId, communityId, channelId: channel });
    await result;
  };
  return { world, app, ports, sessionId, community, enter };
}

it('shows the community that the user entered the voice channel', async () => {
  const { world, community, enter } = await setUp();
  await enter();
  const state = { [world.channelId]: [String(world.ada.userId)] };
  expect(community.heard).toEqual([{ kind: 'voice', communityId: world.communityId, state }]);
});

it('shows the voice channel empty that the user left for another one', async () => {
  const { world, community, enter } = await setUp();
  await enter();
  community.heard.splice(0);
  await enter(world.ada, world.privateChannelId);
  const state = { [world.channelId]: [], [world.privateChannelId]: [String(world.ada.userId)] };
  expect(community.heard).toEqual([{ kind: 'voice', communityId: world.communityId, state }]);
});

it('reports to the presence service that the user is in the voice channel', async () => {
  const { world, sessionId, enter } = await setUp();
  await enter();
  const { communityId, channelId } = world;
  expect(await world.reporter.logout(sessionId)).toEqual({
    userId: world.ada.userId,
    whereabouts: { kind: 'voice', communityId, channelId },
  });
});

it('counts the conversation as read that the user leaves for a voice channel', async () => {
  const { world, app, ports, sessionId, enter } = await setUp();
  const whereabouts = { kind: 'conversation', key: world.room } as const;
  await (await app.moveToPlace(world.ada, { sessionId, whereabouts })).result;
  world.clock.pass(10);
  const message = { roomId: world.roomId, content: 'hi', name: null, profileImage: null, nonce: null };
  await (await app.sendDirectMessage(world.grace, message)).result;
  world.clock.pass(10);
  await enter();
  expect(await ports.markers.unread(world.ada.userId, [world.room])).toMatchObject([{ count: 0 }]);
});

it('refuses a voice channel of a community that the user is not in', async () => {
  const { world, community, enter } = await setUp();
  await expect(enter(world.linus)).rejects.toMatchObject({ code: 'not-permitted' });
  expect(community.heard).toEqual([]);
});

it('refuses a private voice channel that the user may not enter', async () => {
  const { world, community, enter } = await setUp();
  await expect(enter(world.grace, world.privateChannelId)).rejects.toMatchObject({ code: 'not-permitted' });
  expect(community.heard).toEqual([]);
});

it('asks to try again when the presence service does not take the entry into a voice channel', async () => {
  const { community, enter } = await setUp({ ports: { reporter: absentReporter } });
  await expect(enter()).rejects.toMatchObject({ code: 'try-again' });
  expect(community.heard).toEqual([]);
});

it('refuses entries into voice channels that follow each other faster than the limit', async () => {
  const { enter } = await setUp({ limits: { messagesPerSecond: 1, messagesBurst: 1 } });
  await enter();
  await expect(enter()).rejects.toMatchObject({ code: 'too-fast' });
});
