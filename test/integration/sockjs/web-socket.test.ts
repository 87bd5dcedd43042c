import { describe, expect, it } from 'vitest';
import {
  echo,
  post,
  RawClient,
  refusal,
  startSockJsHost,
  upgradeRequest,
  WebSocketClient,
} from '../../../dev/sockjs-host.ts';
import { flushSoon } from '../../../src/adapters/transport/flush-soon.ts';
import { SharedFrame } from '../../../src/adapters/transport/shared-frame.ts';

describe.each(['/chat', '/chat/websocket'])('a raw WebSocket at %s', (path) => {
  it('carries text and binary messages unchanged over a raw WebSocket', async () => {
    await using host = await startSockJsHost();
    const client = await new WebSocketClient(host.url(path)).opened();
    const recorder = await host.accepted();
    expect(recorder.connection.transport).toBe('raw-websocket');
    expect(recorder.connection.remoteAddress).toBe('127.0.0.1');
    client.ws.send('["x"] 한글\uffff');
    client.ws.send(Buffer.from([0, 255]));
    client.ws.send('');
    expect(await recorder.received(3)).toEqual(['["x"] 한글\uffff', Buffer.from([0, 255]), '']);
    for (const size of [0, 1, 125, 126, 65535, 65536, 100_000]) {
      recorder.connection.send('x'.repeat(size));
      expect((await client.next()).length).toBe(size);
    }
  });

  it('closes a raw WebSocket with the given code and reason', async () => {
    await using host = await startSockJsHost();
    const client = await new WebSocketClient(host.url(path)).opened();
    const recorder = await host.accepted();
    recorder.connection.send('last words');
    recorder.connection.close(1012, 'server is stopping');
    recorder.connection.send('too late');
    expect(await client.next()).toBe('last words');
    expect(await client.closed).toEqual({ code: 1012, reason: 'server is stopping' });
    expect(await recorder.closed.promise).toEqual({ code: 1012, reason: 'server is stopping' });
    expect(recorder.closings).toBe(1);
  });
});

describe.each([
  ['/chat', ''],
  ['/chat/0/s/websocket', '\x81\x0bc[3000,"x"]'],
])('a WebSocket at %s that is closing', (path, said) => {
  it('neither sends nor delivers while it closes, and waits a limited time for the client', async () => {
    await using host = await startSockJsHost({ closeTimeout: 100 });
    const client = new RawClient(host.port, upgradeRequest(path));
    await client.until('\r\n\r\n');
    const recorder = await host.accepted();
    recorder.connection.close(3000, 'x');
    recorder.connection.send('too late');
    recorder.connection.sendShared(new SharedFrame('too late'), 'much ');
    // A mask of zeros does not change the bytes.
    const message = '"x"';
    client.socket.write(`\x81\x83\x00\x00\x00\x00${message}`, 'latin1');
    await client.until('\x88\x03\x0b\xb8x');
    await client.closed;
    expect(client.bytes.toString('latin1').endsWith(`${said}\x88\x03\x0b\xb8x`)).toBe(true);
    expect(recorder.messages).toEqual([]);
    expect(recorder.closings).toBe(1);
  });
});

describe.each([
  ['closes', '\x88\x82\x00\x00\x00\x00\x03\xe8', '\x88\x02\x03\xe8'],
  ['breaks the protocol', '\x83\x80\x00\x00\x00\x00', '\x88\x02\x03\xea'],
])('a client that sends a message and %s in one chunk', (_, end, goodbye) => {
  it('sends the answer to a message before the close that came with it', async () => {
    await using host = await startSockJsHost({ onConnection: echo });
    const client = new RawClient(host.port, upgradeRequest('/chat'));
    await client.until('\r\n\r\n');
    client.socket.write(`\x81\x81\x00\x00\x00\x00a${end}`, 'latin1');
    await client.until(goodbye);
    expect(client.bytes.toString('latin1').endsWith(`\r\n\r\n\x81\x01a${goodbye}`)).toBe(true);
  });
});

it.each(['/chat', '/chat/websocket'])('answers a client at %s that half-closes after its message', async (path) => {
  await using host = await startSockJsHost({
    onConnection: (connection) => ({
      onMessage: (message) => {
        // Many sockets are flushed first. The end of this one arrives before its turn.
        for (let i = 0; i < 20_000; i += 1) flushSoon({ flush: () => {} });
        connection.send(String(message));
      },
      onClose: () => {},
    }),
  });
  const client = new RawClient(host.port, upgradeRequest(path));
  await client.until('\r\n\r\n');
  client.socket.end('\x81\x81\x00\x00\x00\x00a', 'latin1');
  await client.closed;
  expect(client.bytes.toString('latin1').endsWith('\r\n\r\n\x81\x01a')).toBe(true);
});

describe('a listener that closes at a message', () => {
  it('delivers no message after the one at which the listener closed', async () => {
    const heard: string[] = [];
    await using host = await startSockJsHost({
      onConnection: (connection) => ({
        onMessage: (message) => {
          heard.push(`${connection.transport} ${message}`);
          connection.close(1000, 'enough');
        },
        onClose: () => {},
      }),
    });
    const text = '\x81\x81\x00\x00\x00\x00';
    const raw = new RawClient(host.port, `${upgradeRequest('/chat')}${text}a${text}b`);
    await raw.until('enough');
    const framed = new WebSocketClient(host.url('/chat/0/s/websocket'));
    expect(await framed.next()).toBe('o');
    framed.ws.send('["a","b"]');
    await framed.closed;
    await post(host.url('/chat/0/t/xhr'));
    await post(host.url('/chat/0/t/xhr_send'), '["a","b"]');
    expect(heard).toEqual(['raw-websocket a', 'websocket a', 'xhr a']);
  });
});

describe('a raw WebSocket', () => {
  it('reports the close code of the client', async () => {
    await using host = await startSockJsHost();
    const client = await new WebSocketClient(host.url('/chat')).opened();
    const recorder = await host.accepted();
    client.ws.close(4001, 'tired');
    expect(await recorder.closed.promise).toEqual({ code: 4001, reason: 'tired' });
    expect(recorder.connection.isOpen).toBe(false);
    expect(host.sockJs.counts.webSockets).toBe(0);
  });

  it('agrees on the sub-protocol that the server selects', async () => {
    await using host = await startSockJsHost({
      selectProtocol: (offered) => ['v12.stomp', 'v11.stomp'].find((known) => offered.has(known)),
    });
    const client = await new WebSocketClient(host.url('/chat'), ['v10.stomp', 'v11.stomp', 'v12.stomp']).opened();
    expect(client.ws.protocol).toBe('v12.stomp');
    expect((await host.accepted()).connection.protocol).toBe('v12.stomp');
    const stranger = new RawClient(host.port, upgradeRequest('/chat', ['Sec-WebSocket-Protocol: mqtt']));
    expect(String(await stranger.until('\r\n\r\n'))).not.toMatch(/sec-websocket-protocol/i);
    expect((await host.accepted()).connection.protocol).toBe('');
  });

  it('sends long and short shared messages with or without a head over WebSockets', async () => {
    await using host = await startSockJsHost();
    const raw = await new WebSocketClient(host.url('/chat')).opened();
    const rawConnection = (await host.accepted()).connection;
    const framed = await new WebSocketClient(host.url('/chat/0/s/websocket')).opened();
    const framedConnection = (await host.accepted()).connection;
    expect(await framed.next()).toBe('o');
    for (const size of [0, 10, 126, 16_385, 70_000]) {
      const text = `"${'한'.repeat(size)}\n`;
      const frame = new SharedFrame(text);
      for (const connection of [rawConnection, framedConnection]) {
        connection.sendShared(frame);
        connection.sendShared(frame, 'head\u2028"');
        connection.send('between');
      }
      for (const expected of [text, `head\u2028"${text}`, 'between']) {
        expect(await raw.next()).toBe(expected);
        expect(JSON.parse((await framed.next()).slice(1))).toEqual([expected]);
      }
    }
  });

  it('stops reading while the connection is paused', async () => {
    await using host = await startSockJsHost();
    const client = await new WebSocketClient(host.url('/chat')).opened();
    const recorder = await host.accepted();
    recorder.connection.pause();
    client.ws.send('later');
    await new Promise(setImmediate);
    recorder.connection.resume();
    expect(await recorder.received(1)).toEqual(['later']);
  });

  it.each([
    [1006, 1000],
    [7, 1000],
    [1005, 1000],
    [2010, 1000],
    [4999, 4999],
    [1011, 1011],
  ])('replaces close codes that must not be sent: %i becomes %i', async (code, sent) => {
    await using host = await startSockJsHost();
    const client = await new WebSocketClient(host.url('/chat')).opened();
    const recorder = await host.accepted();
    recorder.connection.close(code, '한'.repeat(100));
    expect(await client.closed).toEqual({ code: sent, reason: '한'.repeat(40) });
    expect((await recorder.closed.promise).code).toBe(code);
  });

  it('closes a WebSocket with 1011 when its listener throws', async () => {
    await using host = await startSockJsHost({
      onConnection: () => {
        throw new Error('broken');
      },
    });
    const client = new WebSocketClient(host.url('/chat'));
    expect(await client.closed).toEqual({ code: 1011, reason: 'internal error' });
    expect(host.errors).toHaveLength(1);
  });
});

describe('SockJS over WebSocket', () => {
  it('opens SockJS over WebSocket, and frames messages in both directions', async () => {
    await using host = await startSockJsHost({ onConnection: echo });
    const client = new WebSocketClient(host.url('/chat/000/s/websocket'));
    expect(await client.next()).toBe('o');
    client.ws.send('["a"]');
    expect(await client.next()).toBe('a["a"]');
    client.ws.send('');
    client.ws.send('[]');
    client.ws.send('["b","\\u2028"]');
    expect(await client.next()).toBe('a["b"]');
    expect(await client.next()).toBe('a["\\u2028"]');
    client.ws.send('"single"');
    expect(await client.next()).toBe('a["single"]');
  });

  it('accepts several WebSockets with the same session id', async () => {
    await using host = await startSockJsHost({ onConnection: echo });
    const clients = [1, 2].map(() => new WebSocketClient(host.url('/chat/0/same/websocket')));
    for (const client of clients) expect(await client.next()).toBe('o');
    for (const [index, client] of clients.entries()) client.ws.send(`["${index}"]`);
    for (const [index, client] of clients.entries()) expect(await client.next()).toBe(`a["${index}"]`);
    clients[0]?.ws.close();
    clients[1]?.ws.send('["still"]');
    expect(await clients[1]?.next()).toBe('a["still"]');
  });

  it('sends a SockJS close frame, then closes the WebSocket', async () => {
    await using host = await startSockJsHost();
    const client = new WebSocketClient(host.url('/chat/0/s/websocket'));
    expect(await client.next()).toBe('o');
    const recorder = await host.accepted();
    recorder.connection.close(3000, 'Go away!');
    expect(await client.next()).toBe('c[3000,"Go away!"]');
    expect(await client.closed).toEqual({ code: 3000, reason: 'Go away!' });
    expect(await recorder.closed.promise).toEqual({ code: 3000, reason: 'Go away!' });
  });

  it.each(['["a', '{"a":1}', '[1]', 'null', '["fine",null]'])(
    'closes a WebSocket without a close frame for the message %s',
    async (text) => {
      await using host = await startSockJsHost();
      const client = new WebSocketClient(host.url('/chat/0/s/websocket'));
      expect(await client.next()).toBe('o');
      const recorder = await host.accepted();
      client.ws.send(text);
      expect((await client.closed).code).toBe(1002);
      expect((await recorder.closed.promise).code).toBe(1002);
      expect(recorder.messages).toEqual([]);
    },
  );
});

describe('an upgrade', () => {
  it('refuses upgrades at other paths, methods and protocols', async () => {
    await using host = await startSockJsHost();
    for (const path of ['/chat/info', '/chat/0/s/xhr', '/chat/a', '/chat/a./s/websocket']) {
      expect((await refusal(host.url(path))).status).toBe(404);
    }
    const headers = ['Upgrade: h2c', 'Connection: Upgrade'];
    const other = new RawClient(host.port, `GET /chat HTTP/1.1\r\nHost: x\r\n${headers.join('\r\n')}\r\n\r\n`);
    expect(String(await other.until('\r\n\r\n'))).toContain('HTTP/1.1 400 ');
    await other.closed;
    const keyless = new RawClient(host.port, upgradeRequest('/chat').replace(/Sec-WebSocket-Key.*\r\n/, ''));
    expect(String(await keyless.until('\r\n\r\n'))).toContain('HTTP/1.1 400 ');
    await keyless.closed;
  });

  it('refuses upgrades while WebSockets are off, and info says so', async () => {
    await using host = await startSockJsHost({ websocket: false });
    for (const path of ['/chat', '/chat/websocket', '/chat/0/s/websocket']) {
      expect((await refusal(host.url(path))).status).toBe(404);
    }
    const info = await fetch(host.url('/chat/info'));
    expect(await info.json()).toMatchObject({ websocket: false });
    expect((await fetch(host.url('/chat/websocket'))).status).toBe(404);
  });

  it('closes open WebSockets when the server stops, and refuses upgrades', async () => {
    await using host = await startSockJsHost();
    const raw = await new WebSocketClient(host.url('/chat')).opened();
    const framed = new WebSocketClient(host.url('/chat/0/s/websocket'));
    expect(await framed.next()).toBe('o');
    host.sockJs.close(1012, 'server is stopping');
    expect(await raw.closed).toEqual({ code: 1012, reason: 'server is stopping' });
    expect(await framed.next()).toBe('c[1012,"server is stopping"]');
    expect((await framed.closed).code).toBe(1012);
    expect((await refusal(host.url('/chat'))).status).toBe(503);
    expect(host.sockJs.counts.webSockets).toBe(0);
  });
});
