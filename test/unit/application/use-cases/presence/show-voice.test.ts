import { expect, it } from 'vitest';
import { startApplication, type TestServerOptions } from '../../../../support/application.ts';
import { absentReporter } from './absent-reporter.ts';

async function setUp(options: TestServerOptions = {}) {
  const { world, app, subscribers } = await startApplication(options);
  const community = subscribers.join(world.ada, world.community);
  const show = async (caller = world.ada) => {
    const { result } = await app.showVoice(caller, { communityId: world.communityId });
    await result;
  };
  return { world, community, show };
}

it('shows the community who is in which voice channel', async () => {
  const { world, community, show } = await setUp();
  await world.reporter.enterVoice(world.grace.userId, world.communityId, world.channelId);
  await show();
  const state = { [world.channelId]: [String(world.grace.userId)] };
  expect(community.heard).toEqual([{ kind: 'voice', communityId: world.communityId, state }]);
});

it('refuses to show voice channels to somebody who is not in the community', async () => {
  const { world, community, show } = await setUp();
  await expect(show(world.linus)).rejects.toMatchObject({ code: 'not-permitted' });
  expect(community.heard).toEqual([]);
});

it('asks to try again when the presence service does not say who is in which voice channel', async () => {
  const { community, show } = await setUp({ ports: { reporter: absentReporter } });
  await expect(show()).rejects.toMatchObject({ code: 'try-again' });
  expect(community.heard).toEqual([]);
});

it('refuses questions about voice channels that follow each other faster than the limit', async () => {
  const { show } = await setUp({ limits: { messagesPerSecond: 1, messagesBurst: 1 } });
  await show();
  await expect(show()).rejects.toMatchObject({ code: 'too-fast' });
});
