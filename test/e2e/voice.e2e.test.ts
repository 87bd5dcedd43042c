import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../dev/services/free-port.ts';
import { StompClient, type StompSubscription } from '../../dev/stomp-client.ts';
import { type RunningPresence, startPresence } from '../../neighbours/presence/server.ts';
import { PresenceClient } from '../support/presence-client.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const OUT = { type: 'out', communityId: '1', channelId: 'c-11' };

/** Users 1 and 2 with a session each. User 1 hears the community. */
class Pair {
  readonly ada: StompClient;
  readonly grace: StompClient;
  readonly #community: StompSubscription;
  #read = 0;

  private constructor(ada: StompClient, grace: StompClient, community: StompSubscription) {
    this.ada = ada;
    this.grace = grace;
    this.#community = community;
  }

  static async connect({ url, token }: EmbeddedSystem): Promise<Pair> {
    const ada = await StompClient.connect({ url, token: token(1), userId: 1 });
    const grace = await StompClient.connect({ url, token: token(2), userId: 2 });
    return new Pair(ada, grace, await ada.subscribe('/topic/community/1'));
  }

  /** The next frame about voice. */
  async heard(): Promise<unknown> {
    const isVoice = ({ type }: Record<string, unknown>): boolean => type !== 'connect' && type !== 'disconnect';
    const bodies = await this.#community.atLeast(this.#read + 1, isVoice);
    return bodies[this.#read++];
  }

  /** The users in voice channels, as the server sends them to everybody in the community. */
  async lists(): Promise<unknown> {
    await this.grace.send('/kafka/community-signaling', { type: 'before-enter', user_id: 2, community_id: 1 });
    return this.heard();
  }

  async signal(type: 'enter' | 'leave', userId: 1 | 2, channel: string): Promise<void> {
    const client = userId === 1 ? this.ada : this.grace;
    await client.send('/kafka/signaling', { type, user_id: userId, community_id: 1, channel_id: channel });
  }

  async look(userId: 1 | 2, place: string): Promise<void> {
    const client = userId === 1 ? this.ada : this.grace;
    await client.send('/kafka/join-channel', { type: 'state', user_id: userId, channel_id: place });
  }

  async close(): Promise<void> {
    await Promise.all([this.ada.close(), this.grace.close()]);
  }
}

interface VoiceSystem extends EmbeddedSystem {
  readonly presence?: RunningPresence;
}

async function startWithPresence(): Promise<VoiceSystem> {
  const port = await freePort();
  const presence = await startPresence({ chatUrls: [`http://127.0.0.1:${port}`] });
  const system = await startSystem({ PORT: String(port), PRESENCE_URL: presence.url });
  const stop = async () => {
    await system.stop();
    await presence.stop();
  };
  return { ...system, presence, stop };
}

describe.each<[string, () => Promise<VoiceSystem>]>([
  ['embedded presence', startSystem],
  ['the presence service', startWithPresence],
])('voice with %s', (_name, start) => {
  let system: VoiceSystem;
  beforeAll(async () => {
    system = await start();
  });
  afterAll(() => system.stop());

  it('keeps a user in the voice list who looks at a text channel, until they send leave', async () => {
    const pair = await Pair.connect(system);
    await pair.signal('enter', 2, 'c-11');
    expect(await pair.heard()).toEqual({ 11: ['2'] });
    await pair.look(2, 'c-21');
    await pair.look(2, 'home');
    expect(await pair.lists()).toEqual({ 11: ['2'] });
    await pair.signal('leave', 2, 'c-11');
    expect(await pair.heard()).toEqual({ ...OUT, ids: [] });
    expect(await pair.lists()).toEqual({});
    await pair.close();
  });

  it('takes a user out of voice who enters another voice channel, or whose last session ends', async () => {
    const pair = await Pair.connect(system);
    await pair.signal('enter', 1, 'c-11');
    await pair.signal('enter', 2, 'c-11');
    expect([await pair.heard(), await pair.heard()]).toEqual([{ 11: ['1'] }, { 11: ['1', '2'] }]);
    await pair.look(2, 'c-11');
    await pair.signal('enter', 2, 'c-21');
    const moved = [await pair.heard(), await pair.heard()];
    expect(moved).toContainEqual({ 11: ['1'], 21: ['2'] });
    expect(moved).toContainEqual({ ...OUT, ids: ['1'] });
    await pair.look(2, 'home');
    await pair.grace.cut();
    expect(await pair.heard()).toEqual({ ...OUT, channelId: 'c-21', ids: [] });
    await pair.close();
  });

  it('takes a user out of voice whom the community removes', async () => {
    const pair = await Pair.connect(system);
    await pair.signal('enter', 2, 'c-11');
    expect(await pair.heard()).toEqual({ 11: ['2'] });
    await pair.look(2, 'home');
    const put = (members: number[]) =>
      fetch(`${system.url}/chat-server/community-user-list/1`, { method: 'PUT', body: JSON.stringify(members) });
    expect((await put([1])).status).toBe(200);
    expect(await pair.heard()).toEqual({ ...OUT, ids: [] });
    await put([1, 2]);
    await pair.close();
  });

  it('takes a user out of voice when a call reports who is left in the voice channel', async () => {
    const pair = await Pair.connect(system);
    await pair.signal('enter', 1, 'c-11');
    await pair.signal('enter', 2, 'c-11');
    expect([await pair.heard(), await pair.heard()]).toEqual([{ 11: ['1'] }, { 11: ['1', '2'] }]);
    const { presence } = system;
    if (presence === undefined) {
      const body = JSON.stringify({ ...OUT, ids: ['2'] });
      await fetch(`${system.url}/chat-server/signaling-list-community`, { method: 'POST', body });
    } else {
      // The presence service makes the call.
      const media = await PresenceClient.connect(presence.port);
      await media.ask("{type='signaling', user_id='1', community_id='1', channel_id='c-11'}");
      await media.close();
    }
    expect(await pair.heard()).toEqual({ ...OUT, ids: ['2'] });
    expect(await pair.lists()).toEqual({ 11: ['2'] });
    await pair.close();
  });

  it('lets a user leave who is in no voice channel, and shows nothing for it', async () => {
    const pair = await Pair.connect(system);
    await pair.signal('leave', 2, 'c-11');
    expect(await pair.lists()).toEqual({});
    await pair.close();
  });
});
