import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { plainSocket, writeDirectly } from '../../../src/adapters/transport/direct-write.ts';
import { SocketWriter } from '../../../src/adapters/transport/socket-writer.ts';

const open: { destroy(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

/** Both ends of a TCP connection. */
async function connection(): Promise<{ readonly server: Socket; readonly client: Socket }> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const accepted = once(listener, 'connection');
  const client = connect(address.port, '127.0.0.1');
  const [server] = (await accepted) as [Socket];
  listener.close();
  open.push(server, client);
  return { server, client };
}

/** Reads so many bytes. */
async function read(client: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of client.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= count) break;
  }
  return Buffer.concat(chunks);
}

/** Parts of 50,000 bytes that each show their position. */
function parts(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.alloc(50_000, String.fromCharCode(97 + (i % 26))));
}

describe('writing to a socket without its stream', () => {
  it('hands the bytes of a TCP socket to the operating system at once', async () => {
    const { server, client } = await connection();
    const plain = plainSocket(server);
    if (plain === null) throw new Error('not plain');
    expect(writeDirectly(plain, Buffer.from('hello'))).toBe(5);
    expect([server.bytesWritten, server.writableLength]).toEqual([0, 0]);
    expect((await read(client, 5)).toString()).toBe('hello');
  });

  it('writes nothing while the stream has bytes waiting, nor after the end', async () => {
    const { server } = await connection();
    const plain = plainSocket(server);
    if (plain === null) throw new Error('not plain');
    server.cork();
    server.write('first');
    expect(writeDirectly(plain, Buffer.from('second'))).toBe(0);
    server.destroy();
    expect(writeDirectly(plain, Buffer.from('third'))).toBe(0);
  });

  it('takes neither a TLS socket nor another stream for a plain socket', async () => {
    const { server } = await connection();
    expect(plainSocket(new TLSSocket(server, { isServer: true }))).toBeNull();
    expect(plainSocket(new Duplex())).toBeNull();
  });
});

describe('SocketWriter on a TCP socket', () => {
  it('keeps the order and counts the waiting bytes of a client that stops reading for a while', async () => {
    const { server, client } = await connection();
    const writer = new SocketWriter(server);
    client.pause();
    const all = parts(240);
    for (const part of all) {
      writer.write(part);
      writer.flush();
    }
    expect(writer.bufferedBytes).toBe(server.writableLength);
    expect(server.writableLength).toBeGreaterThan(50_000);
    expect(server.writableLength).toBeLessThan(240 * 50_000);
    const received = await read(client, 240 * 50_000);
    expect(received.equals(Buffer.concat(all))).toBe(true);
    await writer.drained();
    writer.write(Buffer.from('behind'));
    writer.flush();
    expect(writer.bufferedBytes).toBe(0);
    expect((await read(client, 6)).toString()).toBe('behind');
  });

  it('reports a connection that the client has reset as the stream would', async () => {
    const { server, client } = await connection();
    const closed = new Promise((resolve) => server.on('close', resolve));
    const errors: NodeJS.ErrnoException[] = [];
    server.on('error', (error) => errors.push(error));
    client.resetAndDestroy();
    await once(client, 'close');
    const writer = new SocketWriter(server);
    writer.write(Buffer.from('lost'));
    writer.flush();
    await closed;
    expect(errors.map(({ code }) => code)).toEqual([expect.stringMatching(/^(EPIPE|ECONNRESET)$/)]);
  });
});
