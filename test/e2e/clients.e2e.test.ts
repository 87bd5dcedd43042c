import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { converse, enter, pairOf, worldOf } from './clients/conversation.ts';
import { type Debug, stompjsOverSockJs, stompjsOverWebSocket, webstompOverSockJs } from './clients/javascript.ts';
import type { Connect } from './clients/talker.ts';
import { type RecordedSystem, startRecordedSystem } from './recorded-system.ts';

const CLIENTS: readonly (readonly [string, Connect])[] = [
  ['webstomp-client over sockjs-client, websocket', webstompOverSockJs('websocket')],
  ['@stomp/stompjs over /my-chat, text', stompjsOverWebSocket('/my-chat', false)],
  ['@stomp/stompjs over /my-chat, binary', stompjsOverWebSocket('/my-chat', true)],
  ['@stomp/stompjs over /my-chat/websocket, text', stompjsOverWebSocket('/my-chat/websocket', false)],
  ['@stomp/stompjs over /my-chat/websocket, binary', stompjsOverWebSocket('/my-chat/websocket', true)],
  ['@stomp/stompjs over sockjs-client, xhr-streaming', stompjsOverSockJs('xhr-streaming')],
  ['@stomp/stompjs over sockjs-client, xhr-polling', stompjsOverSockJs('xhr-polling')],
];
const BEATING: readonly (readonly [string, (debug: Debug) => Connect])[] = [
  ['webstomp-client', (debug) => webstompOverSockJs('websocket', debug)],
  ['@stomp/stompjs', (debug) => stompjsOverWebSocket('/my-chat', false, debug)],
];

describe('on one server', () => {
  let system: RecordedSystem;
  beforeAll(async () => {
    system = await startRecordedSystem({}, worldOf(CLIENTS.length + BEATING.length));
  });
  afterAll(async () => {
    // Tests that run at the same time end in any order, so this is checked after all of them.
    expect(system.traffic.all()).toEqual([]);
    await system.stop();
  });

  // Each conversation has its own users, so all of them can run at the same time.
  CLIENTS.forEach(([name, connect], index) => {
    it.concurrent(`serves a whole conversation of two users: ${name}`, () =>
      converse(system, connect, pairOf(index + 1)));
  });

  BEATING.forEach(([name, connect], index) => {
    it.concurrent(`exchanges heart-beats in both directions while no messages are sent: ${name}`, async () => {
      const beats = new Set<string>();
      const all = Promise.withResolvers<void>();
      const debug = (line: string) => {
        for (const beat of ['>>> PING', '<<< PONG']) if (line.includes(beat)) beats.add(beat);
        if (beats.size === 2) all.resolve();
      };
      const { ada, room } = pairOf(CLIENTS.length + 1 + index);
      const talker = await enter(system, connect(debug), 0, ada);
      await all.promise;
      const { seq } = await talker.send('/kafka/send-direct-message', { channelId: room, userId: ada, content: 'x' });
      expect(seq).toBe('1');
      await talker.leave();
    });
  });
});

await describeWithService(['kafka', 'mongo', 'redis'], 'on three servers', () => {
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster({ directory: worldOf(CLIENTS.length), env: { LIMITS: 'off' } });
  });
  afterAll(() => cluster?.stop());

  CLIENTS.forEach(([name, connect], index) => {
    it.concurrent(`serves a whole conversation of two users on different servers: ${name}`, async () => {
      if (cluster === undefined) throw new Error('there is no cluster');
      const { servers, token, stop } = cluster;
      await converse({ urls: servers.map(({ url }) => url), token, stop }, connect, pairOf(index + 1), index);
    });
  });
});
