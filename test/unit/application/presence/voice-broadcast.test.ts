import { expect, it } from 'vitest';
import type { VoiceEvent } from '../../../../src/application/presence/voice-broadcast.ts';
import { TestWorld } from '../../../support/application.ts';

/** Two servers, each with a subscriber in Ada's community and in her room. */
async function setUp() {
  const world = await TestWorld.open();
  const servers = [await world.server({ id: 'a' }), await world.server({ id: 'b' })] as const;
  const [here, there] = servers;
  const subscribers = servers.map(({ subscribers: own }) => ({
    community: own.join(world.ada, world.community),
    room: own.join(world.ada, world.room),
  }));
  return { world, here, there, subscribers };
}

it('sends an event about a voice channel to the community, here and on the other servers', async () => {
  const { world, here, subscribers } = await setUp();
  const left = { type: 'out', communityId: world.communityId, channelId: world.channelId, ids: ['1'] } as const;
  await here.app.voiceLeft(left);
  const event: VoiceEvent = { kind: 'voice-left', ...left };
  for (const { community, room } of subscribers) {
    expect(await community.hears(1)).toEqual([event]);
    expect(room.heard).toEqual([]);
  }
});

it('sends an event about a call to its room, here and on the other servers', async () => {
  const { world, there, subscribers } = await setUp();
  const left = { type: 'in', roomId: world.roomId, ids: [] } as const;
  await there.app.callLeft(left);
  const event: VoiceEvent = { kind: 'call-left', ...left };
  for (const { community, room } of subscribers) {
    expect(await room.hears(1)).toEqual([event]);
    expect(community.heard).toEqual([]);
  }
});
