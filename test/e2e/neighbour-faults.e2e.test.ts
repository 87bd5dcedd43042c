import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import type { NeighbourProxies } from '../../dev/cluster/neighbours.ts';
import type { FaultMode } from '../../dev/fault-proxy.ts';
import { Kafka, logLevel } from '../../dev/services/kafkajs.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import type { StompClient, StompSubscription } from '../../dev/stomp-client.ts';
import { RECORD_STREAMS } from '../../src/adapters/records/record-stream.ts';
import { HeapProbe, heapStaysFlat } from '../support/heap.ts';
import { PresenceClient } from '../support/presence-client.ts';

const MORE_MS = 1_000;
const EACH = 10;
const WORLD = {
  users: { 1: { name: 'Ada', image: null }, 2: { name: 'Grace', image: null } },
  rooms: { 5: [1, 2], 6: [1, 2] },
  communities: { 1: { members: [1, 2], channels: { 11: null } } },
};

await describeWithService(['kafka', 'mongo', 'redis'], 'failing neighbour services', () => {
  let cluster: Cluster;
  let probe: HeapProbe;
  let proxies: NeighbourProxies;
  let one: StompClient;
  let two: StompClient;
  let room: StompSubscription;
  let channel: StompSubscription;
  let usual = 0;

  beforeAll(async () => {
    probe = await HeapProbe.create();
    // Member lists of channels are read again all the time, so that a broken community service
    // would delay messages if it could.
    const env = { LIMITS: 'off', LIMIT_CHANNEL_STALENESS_SECONDS: '1', NODE_OPTIONS: probe.args.join(' ') };
    cluster = await startCluster({ servers: 1, proxied: true, env, directory: WORLD });
    if (cluster.proxies === null) throw new Error('there are no proxies');
    proxies = cluster.proxies;
    [one, two] = await Promise.all([cluster.client(0, 1), cluster.client(0, 2)]);
    room = await two.subscribe('/topic/direct/5');
    channel = await two.subscribe('/topic/group/11');
    await conversation();
    usual = await conversation();
  });
  afterAll(async () => {
    probe?.close();
    await Promise.all([one?.cut(), two?.cut()]);
    await cluster?.stop();
  });

  /**
   * Sends messages and expects a receipt and a delivery for each.
   * @returns milliseconds of the slowest message
   */
  async function conversation(): Promise<number> {
    let slowest = 0;
    for (let count = 0; count < EACH; count++) {
      const began = performance.now();
      const content = randomBytes(8).toString('hex');
      const message = { userId: 1, name: 'x', profileImage: null, content };
      const isIt = ({ message }: Record<string, unknown>) => message === content;
      await one.send('/kafka/send-direct-message', { ...message, channelId: 5 });
      // The name is the user service's, not the one that the sender claims.
      expect((await room.next(isIt)).name).toBe('Ada');
      const between = performance.now();
      await one.send('/kafka/send-channel-message', { ...message, channelId: 11, communityId: 1 });
      await channel.next(isIt);
      slowest = Math.max(slowest, between - began, performance.now() - between);
      // Long enough for the member list of the channel to expire now and then.
      await delay(130);
    }
    return slowest;
  }

  const names: readonly (keyof NeighbourProxies)[] = ['presence', 'community', 'user', 'notification'];
  const modes: readonly FaultMode[] = ['refuse', 'hang', 'garbage'];
  it.each(names.flatMap((name) => modes.map((mode) => [name, mode] as const)))(
    'loses no message and delays none by more than a second while a neighbour fails: %s, mode %s',
    async (name, mode) => {
      await proxies[name].setMode(mode);
      try {
        expect(await conversation()).toBeLessThan(usual + MORE_MS);
      } finally {
        await proxies[name].setMode('pass');
      }
    },
  );

  it('sends the presence service everything that it missed when it is back', async () => {
    await proxies.presence.setMode('refuse');
    await two.send('/kafka/join-channel', { type: 'state', user_id: 2, channel_id: 'r-6' });
    const late = await cluster.client(0, 1);
    await late.send('/kafka/join-channel', { type: 'state', user_id: 1, channel_id: 'r-6' });
    await proxies.presence.setMode('pass');
    const presence = await PresenceClient.connect(cluster.presence.port, cluster.env.PRESENCE_TLS_CA);
    await expect.poll(() => presence.looking('r-6', [1, 2]), { timeout: 10_000 }).toBe('[]');
    await presence.close();
    await late.cut();
  });

  it('keeps its heap flat when the presence service sends 200 MB without a line end', {
    timeout: 120_000,
  }, async () => {
    await heapStaysFlat(probe, 3, async () => {
      const before = proxies.presence.accepted;
      await proxies.presence.setMode('flood');
      while (proxies.presence.accepted === before) await delay(50);
      await conversation();
      await proxies.presence.setMode('pass');
    });
  });

  it('skips Kafka records of random bytes and keeps its heap flat', { timeout: 120_000 }, async () => {
    const producer = new Kafka({ brokers: [...cluster.kafka.brokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await heapStaysFlat(probe, 3, async () => {
      for (const kind of RECORD_STREAMS) {
        const messages = Array.from({ length: 200 }, () => ({
          key: randomBytes(1)[0] === 0 ? null : 'r-5',
          value: randomBytes(2_000),
          headers: { server: randomBytes(4), seq: randomBytes(3), __TypeId__: 'x' },
        }));
        await producer.send({ topic: cluster.topic(kind), messages });
      }
      await conversation();
    });
    await producer.disconnect();
  });
});
