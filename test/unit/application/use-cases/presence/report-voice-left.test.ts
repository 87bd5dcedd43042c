import { expect, it } from 'vitest';
import { startApplication } from '../../../../support/application.ts';
import { TestClient } from '../../../../support/test-client.ts';

/** Ada and Grace are in the voice channel, and Grace's client listens to the community. */
async function setUp() {
  const { world, app, subscribe } = await startApplication();
  const { ada, grace, communityId, channelId } = world;
  for (const caller of [ada, grace]) {
    const sessionId = `in-voice-${caller.userId}`;
    app.userConnected({ sessionId, token: caller.token, claimedUserId: null, client: new TestClient() });
    await (await app.enterVoiceChannel(caller, { sessionId, communityId, channelId })).result;
  }
  const subscriber = await subscribe(grace, world.community);
  const lists = () => world.reporter.voice(ada.userId, communityId);
  const report = (type: 'in' | 'out') => app.voiceLeft({ type, communityId, channelId, ids: [String(grace.userId)] });
  return { world, subscriber, lists, report };
}

it('takes those who are not named out of the voice channel, and shows it to the community', async () => {
  const { world, subscriber, lists, report } = await setUp();
  await report('out');
  const stillIn = [String(world.grace.userId)];
  expect(await lists()).toEqual({ [world.channelId]: stillIn });
  expect(subscriber.heard).toContainEqual(expect.objectContaining({ kind: 'voice-left', type: 'out', ids: stillIn }));
});

it('passes a report about an entry on, and takes nobody out of the voice channel', async () => {
  const { world, subscriber, lists, report } = await setUp();
  await report('in');
  const { ada, grace, channelId } = world;
  expect(await lists()).toEqual({ [channelId]: [String(ada.userId), String(grace.userId)] });
  expect(subscriber.heard).toContainEqual(expect.objectContaining({ kind: 'voice-left', type: 'in' }));
});
