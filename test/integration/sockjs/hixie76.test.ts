import { describe, expect, it } from 'vitest';
import { acceptHixie76 } from '../../../dev/hixie76/handshake.ts';
import { echo, RawClient, startSockJsHost } from '../../../dev/sockjs-host.ts';

// The example handshake of the draft, section 1.3: the nonce and the keys give this answer.
const nonce = '^n:ds[4U';
const proof = "8jKS'y:G*Co,Wxa-";

function request(path: string, firstKey = '4 @1  46546xW%0l 1 5'): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: example.com',
    'Connection: Upgrade',
    'Upgrade: WebSocket',
    `Sec-WebSocket-Key1: ${firstKey}`,
    'Sec-WebSocket-Key2: 12998 5 Y3 1  .P00',
    'Origin: http://example.com',
    '\r\n',
  ].join('\r\n');
}

describe('WebSockets of hixie-76', () => {
  it('answers the handshake before the nonce, proves the keys, and carries SockJS messages', async () => {
    await using host = await startSockJsHost({ otherHandshake: acceptHixie76, onConnection: echo });
    const client = new RawClient(host.port, request('/chat/0/s/websocket'));
    const head = String(await client.until('\r\n\r\n'));
    expect(head).toContain('HTTP/1.1 101 ');
    expect(head).toContain('Sec-WebSocket-Location: ws://example.com/chat/0/s/websocket\r\n');
    expect(head).toContain('Sec-WebSocket-Origin: http://example.com\r\n');
    client.socket.write(nonce.slice(0, 3));
    client.socket.write(nonce.slice(3));
    await client.until(`${proof}\x00o\xff`);
    client.socket.write('\x00["a"]\xff\x00["b', 'latin1');
    await client.until('\x00a["a"]\xff');
    // The answer is sent before the close, although one chunk asked for both.
    client.socket.write('"]\xff\xff\x00', 'latin1');
    await client.until('\x00a["b"]\xff\xff\x00');
    await client.closed;
    expect(host.sockJs.counts.webSockets).toBe(0);
  });

  it('carries raw messages up to the limit', async () => {
    await using host = await startSockJsHost({ otherHandshake: acceptHixie76, maxPayload: 100 });
    const client = new RawClient(host.port, request('/chat') + nonce);
    await client.until(proof);
    const recorder = await host.accepted();
    client.socket.write('\x00hello\xff', 'latin1');
    expect(await recorder.received(1)).toEqual(['hello']);
    recorder.connection.send('back');
    await client.until('\x00back\xff');
    client.socket.write(`\x00${'x'.repeat(101)}`, 'latin1');
    expect(await recorder.closed.promise).toEqual({ code: 1009, reason: 'message too large' });
    await client.closed;
    const other = new RawClient(host.port, `${request('/chat')}${nonce}`);
    await other.until(proof);
    other.socket.write(`\x00${'x'.repeat(101)}\xff`, 'latin1');
    const second = await host.accepted();
    expect((await second.closed.promise).code).toBe(1009);
    expect(second.messages).toEqual([]);
  });

  it.each([
    ['\x00\xc3\x28\xff', 1007],
    ['\x81\x00', 1002],
    ['\xff\x00', 1000],
  ])('ends a connection on the bytes %j with %i', async (bytes, code) => {
    await using host = await startSockJsHost({ otherHandshake: acceptHixie76 });
    const client = new RawClient(host.port, request('/chat') + nonce);
    const recorder = await host.accepted();
    client.socket.write(bytes, 'latin1');
    expect((await recorder.closed.promise).code).toBe(code);
    await client.closed;
  });

  it('refuses keys that are not valid, and any handshake without the option', async () => {
    await using host = await startSockJsHost({ otherHandshake: acceptHixie76 });
    await using modern = await startSockJsHost();
    for (const [port, text] of [
      [host.port, request('/chat', '12345')],
      [host.port, request('/chat', '7 8 9')],
      [modern.port, request('/chat')],
    ] as const) {
      const client = new RawClient(port, text);
      expect(String(await client.until('\r\n\r\n'))).toContain('HTTP/1.1 400 ');
      client.socket.end();
      await client.closed;
    }
  });
});
