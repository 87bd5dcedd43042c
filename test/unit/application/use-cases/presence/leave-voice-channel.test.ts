import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import type { SessionReporter } from '../../../../../src/application/ports/session-reporter.ts';
import { startApplication, type TestServerOptions, TestWorld } from '../../../../support/application.ts';
import { TestClient } from '../../../../support/test-client.ts';
import { absentReporter } from './absent-reporter.ts';

/** Ada has a session and is in the voice channel. */
async function setUp(options: TestServerOptions = {}) {
  const { world, app } = await startApplication(options);
  const { ada, communityId, channelId } = world;
  const sessionId = `leaving-${ada.userId}`;
  app.userConnected({ sessionId, token: ada.token, claimedUserId: null, client: new TestClient() });
  const enter = async (channel = channelId) => {
    await (await app.enterVoiceChannel(ada, { sessionId, communityId, channelId: channel })).result;
  };
  const leave = async (caller: Caller = ada, channel = channelId) => {
    await (await app.leaveVoiceChannel(caller, { communityId, channelId: channel })).result;
  };
  const lists = () => world.reporter.voice(ada.userId, communityId);
  return { world, app, sessionId, enter, leave, lists };
}

it('reports to the presence service that the user is not in the voice channel any more', async () => {
  const { enter, leave, lists } = await setUp();
  await enter();
  await leave();
  expect(await lists()).toEqual({});
});

it('applies an entry and an exit in their order when the second follows at once', async () => {
  const { world, app, sessionId, leave, lists } = await setUp();
  const whereabouts = { kind: 'conversation', key: world.room } as const;
  await (await app.moveToPlace(world.ada, { sessionId, whereabouts })).result;
  const { communityId, channelId } = world;
  const entered = await app.enterVoiceChannel(world.ada, { sessionId, communityId, channelId });
  await leave();
  await entered.result;
  expect(await lists()).toEqual({});
});

it('changes nothing for a user who is in another voice channel, or in none', async () => {
  const { world, enter, leave, lists } = await setUp();
  await enter(world.privateChannelId);
  await leave();
  await leave(world.linus, world.privateChannelId);
  expect(await lists()).toEqual({ [world.privateChannelId]: [String(world.ada.userId)] });
});

it('asks to try again when the presence service does not take the exit from a voice channel', async () => {
  const { leave } = await setUp({ ports: { reporter: absentReporter } });
  await expect(leave()).rejects.toMatchObject({ code: 'try-again' });
});

it('refuses exits from voice channels that follow each other faster than the limit', async () => {
  const { leave } = await setUp({ limits: { messagesPerSecond: 1, messagesBurst: 1 } });
  await leave();
  await expect(leave()).rejects.toMatchObject({ code: 'too-fast' });
});

it('takes a user out of voice whom the community removes, on the server through which they entered', async () => {
  const world = await TestWorld.open();
  const [here, there] = [await world.server({ id: 'here' }), await world.server({ id: 'there' })];
  const { ada, grace, communityId, channelId } = world;
  for (const caller of [ada, grace]) {
    const sessionId = `removed-${caller.userId}`;
    here.app.userConnected({ sessionId, token: caller.token, claimedUserId: null, client: new TestClient() });
    await (await here.app.enterVoiceChannel(caller, { sessionId, communityId, channelId })).result;
  }
  await there.app.replaceMembers(world.community, [ada.userId]);
  // The memory bus hands records to the other servers in the next turn of the event loop.
  await setImmediate();
  expect(await world.reporter.voice(ada.userId, communityId)).toEqual({ [channelId]: [String(ada.userId)] });
});

it('tries again to take a removed user out of voice when the presence service was away', async () => {
  const world = await TestWorld.open();
  let isAway = false;
  const reporter = new Proxy(world.reporter, {
    get: (target, name: keyof SessionReporter) => (isAway ? absentReporter[name] : target[name].bind(target)),
  });
  const { app } = await world.server({ ports: { reporter } });
  const { ada, grace, communityId, channelId } = world;
  const sessionId = `kept-${grace.userId}`;
  app.userConnected({ sessionId, token: grace.token, claimedUserId: null, client: new TestClient() });
  await (await app.enterVoiceChannel(grace, { sessionId, communityId, channelId })).result;
  isAway = true;
  await app.replaceMembers(world.community, [ada.userId]);
  isAway = false;
  expect(await reporter.voice(ada.userId, communityId)).toEqual({ [channelId]: [String(grace.userId)] });
  await app.replaceMembers(world.community, [ada.userId]);
  await setImmediate();
  expect(await reporter.voice(ada.userId, communityId)).toEqual({});
});
