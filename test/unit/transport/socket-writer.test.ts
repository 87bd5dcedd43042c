import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { flushSoon, writeSoon } from '../../../src/adapters/transport/socket-writer.ts';

/** Counts how often the system would have been called. */
class CountingSocket extends Duplex {
  readonly calls: string[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.calls.push(chunk.toString());
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(chunks.map(({ chunk }) => chunk.toString()).join(''));
    done();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('the socket writer', () => {
  it('gives the system all that one turn wrote to a socket in one call', async () => {
    const sockets = [new CountingSocket(), new CountingSocket()];
    for (const word of ['a', 'b', 'c']) for (const socket of sockets) writeSoon(socket, Buffer.from(word));
    await Promise.resolve().then(() => sockets[0] && writeSoon(sockets[0], Buffer.from('d')));
    expect(sockets.map(({ calls }) => calls)).toEqual([[], []]);
    await turn();
    expect(sockets.map(({ calls }) => calls)).toEqual([['abcd'], ['abc']]);
    for (const socket of sockets) writeSoon(socket, Buffer.from('e'));
    await turn();
    expect(sockets.map(({ calls }) => calls)).toEqual([
      ['abcd', 'e'],
      ['abc', 'e'],
    ]);
  });

  it('does not mind a socket that is gone, nor one flushed in between', async () => {
    const [gone, flushed, last] = [new CountingSocket(), new CountingSocket(), new CountingSocket()];
    gone.on('error', () => {});
    for (const socket of [gone, flushed, last]) writeSoon(socket, Buffer.from('x'));
    gone.destroy();
    flushed.uncork();
    writeSoon(flushed, Buffer.from('y'));
    await turn();
    expect([flushed.calls, last.calls]).toEqual([['x', 'y'], ['x']]);
  });

  it('flushes other outputs once the turn is over; what they ask for then comes a turn later', async () => {
    const flushes: string[] = [];
    const second = { flush: () => flushes.push('second') };
    flushSoon({ flush: () => [flushes.push('first'), flushSoon(second)] });
    expect(flushes).toEqual([]);
    await turn();
    expect(flushes).toEqual(['first']);
    await turn();
    expect(flushes).toEqual(['first', 'second']);
  });
});
