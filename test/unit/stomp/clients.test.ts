import { createRequire } from 'node:module';
import { Client, type IFrame, type IMessage, ReconnectionTimeMode } from '@stomp/stompjs';
import { afterEach, describe, expect, it } from 'vitest';
import webstomp, { type Message } from 'webstomp-client';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { type SockJsHost, startSockJsHost } from '../../../dev/sockjs-host.ts';
import { createStompEndpoint, type StompEndpoint, StompSubscribers } from '../../../src/adapters/stomp/endpoint.ts';
import { SUB_PROTOCOLS } from '../../../src/adapters/stomp/version.ts';
import { SystemClock } from '../../../src/adapters/system/clock.ts';
import { SystemIdSource } from '../../../src/adapters/system/id-source.ts';
import { embeddedApplication, temporaryFiles, tokenOf } from '../../support/embedded-application.ts';
import { LIMITS } from './fixture.ts';

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

interface ChatHost extends SockJsHost {
  readonly endpoint: StompEndpoint;
  /** Resolves when `count` sessions have ended. */
  ended(count: number): Promise<void>;
}

/**
 * Starts STOMP over SockJS on loopback, on an application of the demo world with embedded adapters.
 */
async function start(): Promise<ChatHost> {
  const ids = new SystemIdSource();
  const fileLink = (key: string, base: string) => `${base}/${key}`;
  const subscribers = new StompSubscribers({ limits: LIMITS, fileLink, ids, clock: new SystemClock() });
  const { store: files } = await temporaryFiles();
  const { app } = await embeddedApplication({ files, subscribers: subscribers.port });
  const endings: string[] = [];
  let ending = Promise.withResolvers<void>();
  const userDisconnected = (sessionId: string) => {
    app.userDisconnected(sessionId);
    endings.push(sessionId);
    ending.resolve();
    ending = Promise.withResolvers<void>();
  };
  const endpoint = createStompEndpoint({
    application: { ...app, userDisconnected },
    subscribers,
    limits: LIMITS,
    telemetry: new RecordedTelemetry(),
    ids,
    baseUrl: () => 'http://chat.example',
  });
  stack = new AsyncDisposableStack();
  const host = await startSockJsHost({
    onConnection: (connection) => endpoint.accept(connection),
    selectProtocol: (offered) => SUB_PROTOCOLS.find((protocol) => offered.has(protocol)),
  });
  const ended = async (count: number) => {
    while (endings.length < count) await ending.promise;
  };
  return Object.assign(stack.use(host), { endpoint, ended });
}

interface Talk {
  readonly client: Client;
  subscribe(destination: string, id: string): Promise<IFrame>;
  send(destination: string, body: object, receipt: string): Promise<IFrame>;
  readonly heard: IMessage[];
  next(count: number): Promise<void>;
  end(): Promise<void>;
}

async function talk(url: string, user: number, binary: boolean, token = tokenOf(user)): Promise<Talk> {
  const connected = Promise.withResolvers<void>();
  const client = new Client({
    brokerURL: url,
    connectHeaders: { 'access-token': token, 'user-id': String(user) },
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
    const host = await start();
    const url = `ws://127.0.0.1:${host.port}${path}`;
    const ada = await talk(url, 1, binary);
    const grace = await talk(url, 2, binary);
    expect(ada.client.connectedVersion).toBe('1.2');
    expect((await grace.subscribe('/topic/direct/5', 'a:b')).headers.seq).toBe('0');
    await grace.subscribe('/user/queue/errors', 'errors');
    const content = '안녕 "q" \\ \n 😀 :'.repeat(100);
    const sent = await ada.send('/kafka/send-direct-message', { channelId: 5, userId: 1, content }, 'first');
    expect(sent.headers).toMatchObject({ seq: '1', 'message-id': expect.stringMatching(/^[0-9a-f]{24}$/) });
    await grace.next(1);
    expect(grace.heard[0]?.headers).toMatchObject({ subscription: 'a:b', seq: '1' });
    expect(JSON.parse(grace.heard[0]?.body ?? '')).toMatchObject({ message: content, seq: 1 });
    grace.client.publish({ destination: '/topic/direct/5', body: 'forged' });
    await grace.next(2);
    expect(JSON.parse(grace.heard[1]?.body ?? '')).toMatchObject({ code: 2103 });
    await Promise.all([ada.end(), grace.end(), host.ended(2)]);
    expect(host.endpoint.counts()).toMatchObject({ sessions: 0, subscriptions: 0 });
  });

  it.each(['websocket', 'xhr-streaming', 'xhr-polling'])(
    'serves webstomp-client over SockJS with the transport %s',
    async (transport) => {
      const host = await start();
      const socket = new SockJS(host.url('/chat'), null, { transports: [transport] });
      const client = webstomp.over(socket, { debug: false, heartbeat: { incoming: 10_000, outgoing: 10_000 } });
      const connected = Promise.withResolvers<void>();
      client.connect({ 'access-token': tokenOf(2), 'user-id': '2' }, () => connected.resolve(), connected.reject);
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
      await host.ended(1);
    },
  );

  it('reports to a client why its token is refused', async () => {
    const host = await start();
    const refused = talk(`ws://127.0.0.1:${host.port}/chat/websocket`, 1, false, tokenOf(2));
    await expect(refused).rejects.toThrow('the access token does not belong to the user that the client claims to be');
  });
});
