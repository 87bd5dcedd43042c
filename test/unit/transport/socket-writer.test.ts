import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { SocketWriter } from '../../../src/adapters/transport/socket-writer.ts';

/** A socket that records the bytes of each system call. */
class CountingSocket extends Duplex {
  readonly calls: Buffer[][] = [];
  /** Writes of a client that does not read. */
  release: (() => void) | null = null;
  readonly #isStuck: boolean;

  constructor(isStuck = false) {
    super();
    this.#isStuck = isStuck;
  }

  get texts(): string[] {
    return this.calls.map((chunks) => Buffer.concat(chunks).toString());
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.calls.push([chunk]);
    this.#end(done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(chunks.map(({ chunk }) => chunk));
    this.#end(done);
  }

  #end(done: () => void): void {
    if (this.#isStuck) this.release = done;
    else done();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('SocketWriter', () => {
  it('writes everything of one turn to a socket in one system call', async () => {
    const sockets = [new CountingSocket(), new CountingSocket()];
    const writers = sockets.map((socket) => new SocketWriter(socket));
    for (const word of ['a', 'b', 'c']) for (const writer of writers) writer.write(Buffer.from(word));
    await Promise.resolve().then(() => writers[0]?.write(Buffer.from('d')));
    expect(sockets.map(({ texts }) => texts)).toEqual([[], []]);
    await turn();
    expect(sockets.map(({ texts }) => texts)).toEqual([['abcd'], ['abc']]);
    for (const writer of writers) writer.write(Buffer.from('e'));
    await turn();
    expect(sockets.map(({ texts }) => texts)).toEqual([
      ['abcd', 'e'],
      ['abc', 'e'],
    ]);
  });

  it('writes one shared buffer to sockets with the same chunks, and keeps the order of each', async () => {
    const sockets = Array.from({ length: 5 }, () => new CountingSocket());
    const writers = sockets.map((socket) => new SocketWriter(socket));
    const [a, b, c, own] = ['a', 'b', 'c', 'own'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer];
    for (const writer of writers) writer.write(a);
    writers[1]?.write(own);
    for (const writer of writers.slice(0, 4)) writer.write(b);
    writers[3]?.write(c);
    await turn();
    expect(sockets.map(({ texts }) => texts)).toEqual([['ab'], ['aownb'], ['ab'], ['abc'], ['a']]);
    expect(sockets[2]?.calls[0]?.[0]).toBe(sockets[0]?.calls[0]?.[0]);
    expect(sockets[4]?.calls[0]?.[0]).toBe(a);
  });

  it('does not copy long chunks, and still writes them in one call', async () => {
    const socket = new CountingSocket();
    const writer = new SocketWriter(socket);
    const chunks = [Buffer.alloc(10_000, 'x'), Buffer.alloc(10_000, 'y')];
    for (const chunk of chunks) writer.write(chunk);
    await turn();
    expect(socket.calls).toHaveLength(1);
    expect(socket.calls[0]?.map((chunk, i) => chunk === chunks[i])).toEqual([true, true]);
  });

  it('counts the gathered bytes and those of the socket', async () => {
    const socket = new CountingSocket(true);
    const writer = new SocketWriter(socket);
    writer.write(Buffer.from('one'));
    expect(writer.bufferedBytes).toBe(3);
    await turn();
    writer.write(Buffer.from('three'));
    expect(writer.bufferedBytes).toBe(8);
    let isDrained = false;
    const drained = writer.drained().then(() => {
      isDrained = true;
    });
    await turn();
    expect([isDrained, socket.texts]).toEqual([false, ['one']]);
    while (!isDrained) {
      socket.release?.();
      await turn();
    }
    await drained;
    expect([socket.texts.join(''), writer.bufferedBytes]).toEqual(['onethree', 0]);
  });

  it('ignores sockets that are gone or ended, and allows a flush at any time', async () => {
    const [gone, ended, flushed, last] = Array.from({ length: 4 }, () => new CountingSocket());
    if (gone === undefined || ended === undefined || flushed === undefined || last === undefined) throw new Error();
    const writers = [gone, ended, flushed, last].map((socket) => new SocketWriter(socket));
    const errors: unknown[] = [];
    for (const socket of [gone, ended]) socket.on('error', (error) => errors.push(error));
    for (const writer of writers) writer.write(Buffer.from('x'));
    gone.destroy();
    ended.end();
    writers[2]?.flush();
    writers[2]?.write(Buffer.from('y'));
    await turn();
    expect(errors).toEqual([]);
    expect([gone.texts, ended.texts, flushed.texts, last.texts]).toEqual([[], [], ['x', 'y'], ['x']]);
    await writers[0]?.drained();
  });
});
