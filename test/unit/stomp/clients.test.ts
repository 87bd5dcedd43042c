import { createRequire } from 'node:module';
import { Client, type IFrame, type IMessage, ReconnectionTimeMode } from '@stomp/stompjs';
import { afterEach, describe, expect, it } from 'vitest';
import webstomp, { type Message } from 'webstomp-client';
import { type SockJsHost, startSockJsHost } from '../../../dev/sockjs-host.ts';
import { SUB_PROTOCOLS } from '../../../src/adapters/stomp/version.ts';
import { Fixture } from './fixture.ts';

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
});

type SockJsClient = new (
  url: string,
  protocols?: null,
  options?: { readonly transports: readonly string[] },
) => WebSocket;
const SockJS = createRequire(import.meta.url)('sockjs-client') as SockJsClient;

/** Starts a server on loopback. */
async function start(fixture: Fixture): Promise<SockJsHost> {
  stack = new AsyncDisposableStack();
  const host = await startSockJsHost({
    onConnection: (connection) => fixture.endpoint.accept(connection),
    selectProtocol: (offered) => SUB_PROTOCOLS.find((protocol) => offered.has(protocol)),
  });
  return stack.use(host);
}

interface Talk {
  readonly client: Client;
  subscribe(destination: string, id: string): Promise<IFrame>;
  send(destination: string, body: object, receipt: string): Promise<IFrame>;
  readonly heard: IMessage[];
  next(count: number): Promise<void>;
  end(): Promise<void>;
}

async function talk(url: string, user: number, binary: boolean): Promise<Talk> {
  const connected = Promise.withResolvers<void>();
  const client = new Client({
    brokerURL: url,
    connectHeaders: { 'access-token': `user-${user}`, 'user-id': String(user) },
    forceBinaryWSFrames: binary,
    reconnectDelay: 0,
    reconnectTimeMode: ReconnectionTimeMode.LINEAR,
    onConnect: () => connected.resolve(),
    onStompError: (frame) => connected.reject(new Error(frame.headers.message)),
  });
  client.activate();
  stack.defer(() => client.deactivate());
  await connected.promise;
  const heard: IMessage[] = [];
  let arrival = Promise.withResolvers<void>();
  const receipt = (id: string) =>
    new Promise<IFrame>((resolve) => {
      client.watchForReceipt(id, resolve);
    });
  return {
    client,
    heard,
    subscribe: (destination, id) => {
      const answered = receipt(`r-${id}`);
      const listen = (message: IMessage) => {
        heard.push(message);
        arrival.resolve();
        arrival = Promise.withResolvers<void>();
      };
      client.subscribe(destination, listen, { id, receipt: `r-${id}` });
      return answered;
    },
    send: (destination, body, id) => {
      const answered = receipt(id);
      client.publish({ destination, body: JSON.stringify(body), headers: { receipt: id } });
      return answered;
    },
    next: async (count) => {
      while (heard.length < count) await arrival.promise;
    },
    end: () => client.deactivate(),
  };
}

describe('public STOMP clients', () => {
  it.each([
    ['text messages', '/chat/websocket', false],
    ['binary messages', '/chat/websocket', true],
  ])('serves @stomp/stompjs over a raw WebSocket with %s', async (_what, path, binary) => {
    const fixture = new Fixture();
    const host = await start(fixture);
    const url = `ws://127.0.0.1:${host.port}${path}`;
    const ada = await talk(url, 1, binary);
    const bob = await talk(url, 2, binary);
    expect(ada.client.connectedVersion).toBe('1.2');
    expect((await bob.subscribe('/topic/direct/5', 'a:b')).headers.seq).toBe('0');
    await bob.subscribe('/user/queue/errors', 'errors');
    const content = '안녕 "q" \\ \n 😀 :'.repeat(100);
    const sent = await ada.send('/kafka/send-direct-message', { channelId: 5, userId: 1, content }, 'first');
    expect(sent.headers).toMatchObject({ seq: '1', 'message-id': '000000000000000000000001' });
    await bob.next(1);
    expect(bob.heard[0]?.headers).toMatchObject({ subscription: 'a:b', seq: '1' });
    expect(JSON.parse(bob.heard[0]?.body ?? '')).toMatchObject({ message: content, seq: 1 });
    bob.client.publish({ destination: '/topic/direct/5', body: 'forged' });
    await bob.next(2);
    expect(JSON.parse(bob.heard[1]?.body ?? '')).toMatchObject({ code: 2103 });
    await Promise.all([ada.end(), bob.end(), fixture.application.endings(2)]);
    expect(fixture.endpoint.counts()).toMatchObject({ sessions: 0, subscriptions: 0 });
  });

  it.each(['websocket', 'xhr-streaming', 'xhr-polling'])(
    'serves webstomp-client over SockJS with the transport %s',
    async (transport) => {
      const fixture = new Fixture();
      const host = await start(fixture);
      const socket = new SockJS(host.url('/chat'), null, { transports: [transport] });
      const client = webstomp.over(socket, { debug: false, heartbeat: { incoming: 10_000, outgoing: 10_000 } });
      const connected = Promise.withResolvers<void>();
      client.connect({ 'access-token': 'user-2', 'user-id': '2' }, () => connected.resolve(), connected.reject);
      stack.defer(() => socket.close());
      await connected.promise;
      const heard = Promise.withResolvers<Message>();
      client.subscribe('/topic/direct/5', (message) => heard.resolve(message));
      const content = '안녕 \u2028 "q" 😀'.repeat(50);
      client.send('/kafka/send-direct-message', JSON.stringify({ channelId: '5', userId: '2', content }));
      const message = await heard.promise;
      expect(message.headers['content-type']).toBe('text/plain;charset=UTF-8');
      expect(JSON.parse(message.body)).toMatchObject({ message: content, userId: '2', seq: 1 });
      client.disconnect();
      await fixture.application.endings(1);
    },
  );

  it('reports to a client why its token is refused', async () => {
    const host = await start(new Fixture());
    await expect(talk(`ws://127.0.0.1:${host.port}/chat/websocket`, 0, false)).rejects.toThrow(
      'the token is not valid',
    );
  });
});
