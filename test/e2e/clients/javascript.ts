import { createRequire } from 'node:module';
import { Client, type IFrame, type IMessage, type StompConfig } from '@stomp/stompjs';
import webstomp from 'webstomp-client';
import type { Connect } from './talker.ts';

type SockJsClient = new (
  url: string,
  protocols: null,
  options: { readonly transports: readonly string[] },
) => WebSocket & { readonly transport: string };
// A CommonJS package without types.
const SockJS = createRequire(import.meta.url)('sockjs-client') as SockJsClient;

export type Transport = 'websocket' | 'xhr-streaming' | 'xhr-polling';

/** Gets the log lines of a library, such as `>>> PING` and `<<< PONG`. */
export type Debug = (line: string) => void;

function sockJs(url: string, transport: Transport): InstanceType<SockJsClient> {
  return new SockJS(`${url}/my-chat`, null, { transports: [transport] });
}

/** webstomp-client on sockjs-client. */
export function webstompOverSockJs(transport: Transport, debug?: Debug): Connect {
  return async ({ url, token, userId, ear }) => {
    const socket = sockJs(url, transport);
    const client = webstomp.over(socket, {
      debug: debug !== undefined,
      heartbeat: { incoming: 10_000, outgoing: 10_000 },
    });
    // The types declare a method, but it is a field that can be set.
    if (debug !== undefined) Object.assign(client, { debug: (...said: unknown[]) => debug(said.join(' ')) });
    client.onreceipt = ({ headers }) => ear.receipt(headers as Record<string, string>);
    await new Promise<void>((resolve, reject) => {
      const failed = (error: unknown) => {
        const failure = error instanceof Error ? error : new Error(JSON.stringify(error));
        ear.fail(failure);
        reject(failure);
      };
      client.connect({ 'access-token': token, 'user-id': String(userId) }, () => resolve(), failed);
    });
    if (socket.transport !== transport) throw new Error(`the connection uses ${socket.transport} and not ${transport}`);
    return {
      subscribe: (destination, headers) => {
        client.subscribe(
          destination,
          (message) => ear.message(message.headers as Record<string, string>, message.body),
          {
            ...headers,
          },
        );
      },
      unsubscribe: (id) => client.unsubscribe(id),
      send: (destination, body, headers) => client.send(destination, body, { ...headers }),
      leave: () => new Promise((resolve) => client.disconnect(resolve)),
    };
  };
}

/** @stomp/stompjs on the WebSocket of the platform. @param path under the server's URL */
export function stompjsOverWebSocket(path: string, binary: boolean, debug?: Debug): Connect {
  return stompjs((url) => ({
    brokerURL: `${url.replace(/^http/, 'ws')}${path}`,
    forceBinaryWSFrames: binary,
    ...(debug === undefined ? {} : { debug }),
  }));
}

/** @stomp/stompjs on sockjs-client. */
export function stompjsOverSockJs(transport: Transport): Connect {
  return stompjs((url) => ({ webSocketFactory: () => sockJs(url, transport) }));
}

function stompjs(configOf: (url: string) => StompConfig): Connect {
  return async ({ url, token, userId, ear }) => {
    const connected = Promise.withResolvers<void>();
    let leaving = false;
    const failed = (reason: string) => {
      if (leaving) return;
      ear.fail(new Error(reason));
      connected.reject(new Error(reason));
    };
    const client = new Client({
      ...configOf(url),
      connectHeaders: { 'access-token': token, 'user-id': String(userId) },
      heartbeatIncoming: 10_000,
      heartbeatOutgoing: 10_000,
      reconnectDelay: 0,
      onConnect: () => connected.resolve(),
      onStompError: ({ headers, body }: IFrame) => failed(`ERROR ${headers.message} ${body}`),
      onWebSocketClose: (event) => failed(`closed: ${event?.code} ${event?.reason}`),
      onUnhandledReceipt: ({ headers }: IFrame) => ear.receipt(headers),
    });
    client.activate();
    await connected.promise;
    const listen = ({ headers, body }: IMessage) => ear.message(headers, body);
    return {
      subscribe: (destination, headers) => {
        client.subscribe(destination, listen, { ...headers });
      },
      unsubscribe: (id) => client.unsubscribe(id),
      send: (destination, body, headers) => client.publish({ destination, body, headers: { ...headers } }),
      leave: () => {
        leaving = true;
        return client.deactivate();
      },
    };
  };
}
