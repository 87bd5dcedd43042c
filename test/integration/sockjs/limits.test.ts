import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  post,
  RawClient,
  refusal,
  Stream,
  startSockJsHost,
  upgradeRequest,
  WebSocketClient,
} from '../../../dev/sockjs-host.ts';
import { SharedFrame } from '../../../src/adapters/transport/shared-frame.ts';

describe('bodies that are too large', () => {
  it('answers 413 to a content-length over the limit', async () => {
    await using host = await startSockJsHost({ maxPayload: 100 });
    await post(host.url('/chat/0/a/xhr'));
    const answer = await post(host.url('/chat/0/a/xhr_send'), `["${'x'.repeat(97)}"]`);
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
    expect((await post(host.url('/chat/0/a/xhr_send'), `["${'x'.repeat(96)}"]`)).status).toBe(204);
    expect(((await host.accepted()).messages[0] ?? '').length).toBe(96);
  });

  it('answers 413 to a content-length over the limit before the body arrives', async () => {
    await using host = await startSockJsHost({ maxPayload: 100 });
    await post(host.url('/chat/0/a/xhr'));
    const head = 'POST /chat/0/a/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Length: 209715200\r\n\r\n';
    const client = new RawClient(host.port, head);
    expect(String(await client.until('too large'))).toContain('HTTP/1.1 413 ');
    await client.closed;
  });

  it('answers 413 to a body as soon as it is over the limit', async () => {
    await using host = await startSockJsHost({ maxPayload: 100 });
    await post(host.url('/chat/0/a/xhr'));
    const head = 'POST /chat/0/a/xhr_send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    const client = new RawClient(host.port, `${head}40\r\n${'x'.repeat(64)}\r\n40\r\n${'x'.repeat(64)}\r\n`);
    expect(String(await client.until('too large'))).toContain('HTTP/1.1 413 ');
    await client.closed;
    expect((await post(host.url('/chat/0/a/xhr_send'), '["x"]')).status).toBe(204);
  });
});

describe('messages that are too large', () => {
  it.each(['/chat', '/chat/websocket', '/chat/0/s/websocket'])(
    'closes a WebSocket at %s with 1009 for a message over the limit',
    async (path) => {
      await using host = await startSockJsHost({ maxPayload: 100 });
      const client = await new WebSocketClient(host.url(path)).opened();
      const recorder = await host.accepted();
      client.ws.send(`"${'x'.repeat(99)}"`);
      expect((await client.closed).code).toBe(1009);
      await recorder.closed.promise;
      expect(recorder.messages).toEqual([]);
    },
  );
});

describe('a slow consumer', () => {
  const limit = 1024 * 1024;
  const chunk = new SharedFrame('x'.repeat(64 * 1024));

  it.each(['/chat', '/chat/0/s/websocket'])(
    'closes a slow client at %s over the limit, and no other client',
    async (path) => {
      await using host = await startSockJsHost({ maxQueuedBytes: limit });
      const quick = await new WebSocketClient(host.url(path)).opened();
      const other = await host.accepted();
      const client = new RawClient(host.port, upgradeRequest(path));
      await client.until('\r\n\r\n');
      client.socket.pause();
      const slow = await host.accepted();
      let max = 0;
      for (let round = 0; round < 2000 && slow.connection.isOpen; round += 1) {
        slow.connection.sendShared(chunk);
        other.connection.sendShared(chunk);
        max = Math.max(max, slow.connection.bufferedBytes);
        if (round % 4 === 0) await other.connection.drained();
      }
      expect(await slow.closed.promise).toEqual({ code: 1008, reason: 'slow consumer' });
      expect(max).toBeLessThan(limit + 2 * 64 * 1024);
      expect(other.connection.isOpen).toBe(true);
      other.connection.send('done');
      for (let text = ''; !text.includes('done'); ) text = await quick.next();
      client.socket.resume();
      await client.closed;
    },
  );

  it.each(['/chat', '/chat/0/s/websocket'])(
    'closes a client that pings all the time and reads no answer at %s',
    async (path) => {
      await using host = await startSockJsHost({ maxQueuedBytes: limit });
      const client = new RawClient(host.port, upgradeRequest(path));
      await client.until('\r\n\r\n');
      client.socket.pause();
      const slow = await host.accepted();
      // Frames with a mask of zeros and a payload of 125 bytes.
      const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)]);
      const pings = Buffer.concat(Array.from({ length: 500 }, () => ping));
      let max = 0;
      while (slow.connection.isOpen) {
        const more = client.socket.write(pings) ? Promise.resolve() : once(client.socket, 'drain').catch(() => {});
        await Promise.race([more, slow.closed.promise]);
        max = Math.max(max, slow.connection.bufferedBytes);
      }
      expect((await slow.closed.promise).code).toBe(1006);
      expect(max).toBeLessThan(limit);
      client.socket.destroy();
    },
  );

  it('closes a streaming client that does not read', async () => {
    await using host = await startSockJsHost({ maxQueuedBytes: limit, responseLimit: 2 ** 30 });
    const head = 'POST /chat/0/a/xhr_streaming HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
    const client = new RawClient(host.port, head);
    await client.until('o\n');
    client.socket.pause();
    const slow = await host.accepted();
    for (let round = 0; round < 2000 && slow.connection.isOpen; round += 1) {
      slow.connection.sendShared(chunk);
      expect(slow.connection.bufferedBytes).toBeLessThan(limit + 2 * 64 * 1024);
      if (round % 4 === 0) await new Promise(setImmediate);
    }
    expect(await slow.closed.promise).toEqual({ code: 1008, reason: 'slow consumer' });
    client.socket.resume();
    await client.closed;
    expect((await post(host.url('/chat/0/a/xhr'))).body).toBe('c[1008,"slow consumer"]\n');
  });

  it('closes the session of a client that does not poll, and drops its queue', async () => {
    await using host = await startSockJsHost({ maxQueuedBytes: 1000 });
    await post(host.url('/chat/0/a/xhr'));
    const slow = await host.accepted();
    for (let round = 0; round < 10; round += 1) slow.connection.send('한'.repeat(40));
    expect(await slow.closed.promise).toEqual({ code: 1008, reason: 'slow consumer' });
    expect(slow.connection.bufferedBytes).toBe(0);
    expect((await post(host.url('/chat/0/a/xhr'))).body).toBe('c[1008,"slow consumer"]\n');
  });

  it('does not close a client only because it gets many bytes in one turn', async () => {
    await using host = await startSockJsHost({ maxQueuedBytes: 64 * 1024, responseLimit: 2 ** 30 });
    const client = await new WebSocketClient(host.url('/chat')).opened();
    const { connection } = await host.accepted();
    const open = await Stream.open(host.url('/chat/0/a/xhr_streaming'), { method: 'POST' });
    const streaming = (await host.accepted()).connection;
    for (let count = 0; count < 300; count += 1) {
      connection.send('x'.repeat(1000));
      streaming.send('x'.repeat(1000));
    }
    connection.send('end');
    streaming.send('end');
    for (let text = ''; text !== 'end'; ) text = await client.next();
    await open.until('"end"]\n');
    open.abort();
  });
});

describe('a client that fell silent', () => {
  it('gives up a client that answers neither of two pings', async () => {
    await using host = await startSockJsHost({ heartbeatDelay: 60 });
    const client = new RawClient(host.port, upgradeRequest('/chat'));
    const ping = '\x89\x00';
    await client.until(ping + ping);
    const recorder = await host.accepted();
    expect(await recorder.closed.promise).toEqual({ code: 1006, reason: 'no answer to pings' });
    await client.closed;
    expect(host.sockJs.counts.webSockets).toBe(0);
  });

  it('keeps a silent client that answers pings', async () => {
    await using host = await startSockJsHost({ heartbeatDelay: 40 });
    const client = await new WebSocketClient(host.url('/chat')).opened();
    const recorder = await host.accepted();
    for (let beats = 0; beats < 6; beats += 1) await once(client.ws, 'ping');
    expect(recorder.closings).toBe(0);
    expect(host.sockJs.counts.webSockets).toBe(1);
  });

  it('keeps a client that the application does not read', async () => {
    await using host = await startSockJsHost({ heartbeatDelay: 40 });
    const client = await new WebSocketClient(host.url('/chat')).opened();
    const recorder = await host.accepted();
    recorder.connection.pause();
    // More than the server reads ahead. The answers to its pings stay unread.
    for (let count = 0; count < 100; count += 1) client.ws.send('x'.repeat(100_000));
    for (let beats = 0; beats < 6; beats += 1) await once(client.ws, 'ping');
    expect(recorder.closings).toBe(0);
  });

  it('sends pings beside the heart-beats over SockJS', async () => {
    await using host = await startSockJsHost({ heartbeatDelay: 40 });
    const client = new WebSocketClient(host.url('/chat/0/s/websocket'));
    expect(await client.next()).toBe('o');
    const pinged = once(client.ws, 'ping');
    expect(await client.next()).toBe('h');
    await pinged;
    const silent = new RawClient(host.port, upgradeRequest('/chat/0/s/websocket'));
    await silent.closed;
    expect(await client.next()).toBe('h');
  });
});

describe('clients that break the rules', () => {
  it.each([
    ['text that is not UTF-8', '\x81\x82\x00\x00\x00\x00\xff\xfe', 1007],
    ['a frame without mask', '\x81\x01x', 1002],
    ['an unknown opcode', '\x83\x80\x00\x00\x00\x00', 1002],
    ['a close code that does not exist', '\x88\x82\x00\x00\x00\x00\x03\xed', 1002],
  ])('closes a client for %s and keeps running', async (_name, bytes, code) => {
    await using host = await startSockJsHost();
    for (const path of ['/chat', '/chat/0/s/websocket']) {
      const client = new RawClient(host.port, upgradeRequest(path));
      await client.until('\r\n\r\n');
      const recorder = await host.accepted();
      client.socket.write(bytes, 'latin1');
      await client.until(`\x88\x02${String.fromCharCode(code >> 8, code & 255)}`);
      client.socket.end();
      await recorder.closed.promise;
      expect(recorder.messages).toEqual([]);
    }
    expect((await refusal(host.url('/chat/0/s/xhr'))).status).toBe(404);
  });

  it('survives connections that are reset at any time', async () => {
    await using host = await startSockJsHost();
    for (const path of ['/chat', '/chat/0/s/websocket']) {
      const client = new RawClient(host.port, upgradeRequest(path));
      await client.until('\r\n\r\n');
      const recorder = await host.accepted();
      client.socket.resetAndDestroy();
      recorder.connection.send('into the void');
      expect((await recorder.closed.promise).code).toBe(1006);
      recorder.connection.send('into the void');
      await recorder.connection.drained();
    }
    const refused = new RawClient(host.port, upgradeRequest('/chat/nothing'));
    refused.socket.resetAndDestroy();
    await refused.closed;
    await new WebSocketClient(host.url('/chat')).opened();
  });
});
