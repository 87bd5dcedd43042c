import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { echo, startSockJsHost } from '../../../dev/sockjs-host.ts';

interface Client {
  readonly transport: string;
  onopen: () => void;
  onmessage: (event: { data: string }) => void;
  onclose: (event: { code: number; reason: string }) => void;
  send(text: string): void;
  close(): void;
}
type ClientClass = new (url: string, protocols: null, options: { transports: string }) => Client;

// The client is a CommonJS package without types.
const SockJS = createRequire(import.meta.url)('sockjs-client') as ClientClass;

describe.each(['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'])('sockjs-client over %s', (transport) => {
  it('carries every message of sockjs-client in order, over several responses', async () => {
    await using host = await startSockJsHost({ onConnection: echo, responseLimit: 2000 });
    const client = new SockJS(host.url('/chat'), null, { transports: transport });
    const sent = Array.from({ length: 50 }, (_, index) => `${index} 한글 \u2028 ${'x'.repeat(100)}`);
    const received: string[] = [];
    const all = Promise.withResolvers<void>();
    client.onopen = () => {
      for (const text of sent) client.send(text);
    };
    client.onmessage = ({ data }) => {
      received.push(data);
      if (received.length === sent.length) all.resolve();
    };
    client.onclose = ({ code, reason }) => all.reject(new Error(`closed: ${code} ${reason}`));
    await all.promise;
    expect(received).toEqual(sent);
    expect(client.transport).toBe(transport);
    client.onclose = () => {};
    client.close();
  });

  it('reports to sockjs-client that the server stops', async () => {
    await using host = await startSockJsHost();
    const client = new SockJS(host.url('/chat'), null, { transports: transport });
    const closed = new Promise((resolve) => {
      client.onclose = ({ code, reason }) => resolve({ code, reason });
    });
    await new Promise<void>((resolve) => {
      client.onopen = resolve;
    });
    host.sockJs.close(1012, 'server is stopping');
    expect(await closed).toEqual({ code: 1012, reason: 'server is stopping' });
  });
});
