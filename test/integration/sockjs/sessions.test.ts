import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { get, post, Stream, startSockJsHost } from '../../../dev/sockjs-host.ts';
import { SharedFrame } from '../../../src/adapters/transport/shared-frame.ts';

const another = 'c[2010,"Another connection still open"]\n';
const interrupted = 'c[1002,"Connection interrupted"]\n';

function stream(url: string): Promise<Stream> {
  return Stream.open(`${url}/xhr_streaming`, { method: 'POST' });
}

describe('an HTTP session', () => {
  it('gives the application the address and the configured headers of the client', async () => {
    await using host = await startSockJsHost({
      keepHeaders: ['user-agent', 'x-none'],
      addressOf: (request) => `${request.headers['x-real']}`,
    });
    await post(host.url('/chat/0/a/xhr'), '', { 'User-Agent': 'phone/1', 'X-Real': '10.0.0.7', Secret: 'x' });
    const { connection } = await host.accepted();
    expect(connection.headers).toEqual({ 'user-agent': 'phone/1' });
    expect(connection.remoteAddress).toBe('10.0.0.7');
    expect(connection.transport).toBe('xhr');
    expect(connection.protocol).toBe('');
    expect(connection.isOpen).toBe(true);
  });

  it('refuses a second receiver and keeps the first', async () => {
    await using host = await startSockJsHost();
    const url = host.url('/chat/0/a');
    const first = await stream(url);
    await first.until('o\n');
    expect((await post(`${url}/xhr`)).body).toBe(another);
    const second = await stream(url);
    expect(await second.ended).toBe(`${'h'.repeat(2048)}\n${another}`);
    const { connection } = await host.accepted();
    connection.send('still here');
    expect(await first.until('\n')).toBe('a["still here"]\n');
    first.abort();
  });

  it('ends when a waiting client disconnects, and says so to later receivers', async () => {
    await using host = await startSockJsHost();
    const url = host.url('/chat/0/a');
    const first = await stream(url);
    await first.until('o\n');
    const recorder = await host.accepted();
    first.abort();
    expect(await recorder.closed.promise).toEqual({ code: 1006, reason: 'connection interrupted' });
    expect((await post(`${url}/xhr`)).body).toBe(interrupted);
    expect((await post(`${url}/xhr_send`, '["x"]')).status).toBe(404);
    expect(recorder.messages).toEqual([]);
    expect(recorder.closings).toBe(1);
  });

  it('sends what was sent before its close, then repeats its close frame', async () => {
    await using host = await startSockJsHost();
    const url = host.url('/chat/0/a');
    await post(`${url}/xhr`);
    const recorder = await host.accepted();
    recorder.connection.send('last words');
    recorder.connection.close(3000, 'Go "away"!');
    recorder.connection.send('too late');
    recorder.connection.close(3001, 'again');
    expect(recorder.connection.isOpen).toBe(false);
    expect(recorder.closings).toBe(0);
    expect(await recorder.closed.promise).toEqual({ code: 3000, reason: 'Go "away"!' });
    expect((await post(`${url}/xhr`)).body).toBe('a["last words"]\n');
    expect((await post(`${url}/xhr`)).body).toBe('c[3000,"Go \\"away\\"!"]\n');
    expect((await get(`${url}/jsonp?c=x`)).body).toContain('c[3000,');
    expect((await post(`${url}/xhr_send`, '["x"]')).status).toBe(404);
    expect(recorder.closings).toBe(1);
  });

  it('ends a streaming response on close, and sends a new receiver the same close frame', async () => {
    await using host = await startSockJsHost();
    const url = host.url('/chat/0/a');
    const first = await stream(url);
    const { connection } = await host.accepted();
    connection.send('last words');
    connection.close(3000, 'Go away!');
    expect(await first.ended).toBe(`${'h'.repeat(2048)}\no\na["last words"]\nc[3000,"Go away!"]\n`);
    expect(await (await stream(url)).ended).toBe(`${'h'.repeat(2048)}\nc[3000,"Go away!"]\n`);
  });

  it('removes a session without a receiver in time, and its id is free again', async () => {
    await using host = await startSockJsHost({ disconnectDelay: 60 });
    const url = host.url('/chat/0/a');
    await post(`${url}/xhr`);
    const recorder = await host.accepted();
    expect(await recorder.closed.promise).toEqual({ code: 1006, reason: 'session timed out' });
    expect(host.sockJs.counts.httpSessions).toBe(0);
    expect((await post(`${url}/xhr_send`, '["x"]')).status).toBe(404);
    expect((await post(`${url}/xhr`)).body).toBe('o\n');
  });

  it('keeps a session while receivers come', async () => {
    await using host = await startSockJsHost({ disconnectDelay: 300 });
    const url = host.url('/chat/0/a');
    await post(`${url}/xhr`);
    const recorder = await host.accepted();
    for (let round = 0; round < 5; round += 1) {
      const waiting = post(`${url}/xhr`);
      // Together longer than a session lives without a receiver.
      await delay(100);
      recorder.connection.send(`round ${round}`);
      expect((await waiting).body).toBe(`a["round ${round}"]\n`);
    }
    expect(recorder.closings).toBe(0);
  });

  it('sends heart-beats while a receiver waits', async () => {
    await using host = await startSockJsHost({ heartbeatDelay: 50 });
    const open = await stream(host.url('/chat/0/a'));
    await open.until('o\nh\nh\n');
    open.abort();
    await post(host.url('/chat/0/b/xhr'));
    expect((await post(host.url('/chat/0/b/xhr'))).body).toBe('h\n');
    expect((await post(host.url('/chat/0/b/xhr'))).body).toBe('h\n');
  });

  it('counts the time to a heart-beat from the arrival of the receiver', async () => {
    await using host = await startSockJsHost({ heartbeatDelay: 300 });
    await post(host.url('/chat/0/a/xhr'));
    await delay(200);
    const start = performance.now();
    expect((await post(host.url('/chat/0/a/xhr'))).body).toBe('h\n');
    expect(performance.now() - start).toBeGreaterThan(250);
  });

  it('resolves those who wait for its queue when it ends', async () => {
    await using host = await startSockJsHost();
    await post(host.url('/chat/0/a/xhr'));
    const { connection } = await host.accepted();
    connection.send('never read');
    const drained = connection.drained();
    connection.close(3000, 'bye');
    await drained;
    await connection.drained();
  });

  it('holds messages back in order while it is paused, up to a limit', async () => {
    await using host = await startSockJsHost({ maxPayload: 100 });
    const url = host.url('/chat/0/a');
    await post(`${url}/xhr`);
    const recorder = await host.accepted();
    recorder.connection.pause();
    await post(`${url}/xhr_send`, '["1","2"]');
    await post(`${url}/xhr_send`, '["3"]');
    expect(recorder.messages).toEqual([]);
    recorder.connection.resume();
    expect(recorder.messages).toEqual(['1', '2', '3']);
    recorder.connection.pause();
    await post(`${url}/xhr_send`, `["${'x'.repeat(90)}"]`);
    await post(`${url}/xhr_send`, `["${'x'.repeat(90)}"]`);
    expect(await recorder.closed.promise).toEqual({ code: 1008, reason: 'too many messages waiting' });
  });

  it('sends shared messages with or without a head over HTTP', async () => {
    await using host = await startSockJsHost();
    const url = host.url('/chat/0/a');
    await post(`${url}/xhr`);
    const { connection } = await host.accepted();
    const frame = new SharedFrame('body "1"');
    connection.sendShared(frame);
    connection.sendShared(frame, 'head\n');
    expect(connection.bufferedBytes).toBeGreaterThan(20);
    const drained = connection.drained();
    expect((await post(`${url}/xhr`)).body).toBe('a["body \\"1\\"","head\\nbody \\"1\\""]\n');
    await drained;
    expect(connection.bufferedBytes).toBe(0);
  });

  it('closes a session with 1011 when its listener throws', async () => {
    const thrown = new Error('broken');
    await using host = await startSockJsHost({
      onConnection: () => ({
        onMessage: () => {
          throw thrown;
        },
        onClose: () => {
          throw thrown;
        },
      }),
    });
    const url = host.url('/chat/0/a');
    await post(`${url}/xhr`);
    await post(`${url}/xhr_send`, '["x"]');
    expect((await post(`${url}/xhr`)).body).toBe('c[1011,"internal error"]\n');
    expect(host.errors).toEqual([thrown, thrown]);
  });
});

describe('many HTTP sessions', () => {
  it('limits the number of HTTP sessions, and removes closed ones first', async () => {
    await using host = await startSockJsHost({ maxSessions: 3 });
    for (const id of ['a', 'b', 'c']) await post(host.url(`/chat/0/${id}/xhr`));
    const refused = await post(host.url('/chat/0/d/xhr'));
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');
    const first = await host.accepted();
    first.connection.send('still open');
    expect((await post(host.url('/chat/0/a/xhr'))).body).toBe('a["still open"]\n');
    first.connection.close(3000, 'bye');
    expect((await post(host.url('/chat/0/d/xhr'))).body).toBe('o\n');
    expect(host.sockJs.counts.httpSessions).toBe(3);
  });

  it('closes all HTTP sessions when the server stops, and refuses new ones', async () => {
    await using host = await startSockJsHost();
    const open = await stream(host.url('/chat/0/a'));
    await open.until('o\n');
    await post(host.url('/chat/0/b/xhr'));
    const recorders = [await host.accepted(), await host.accepted()];
    host.sockJs.close(1012, 'server is stopping');
    expect(await open.ended).toBe('c[1012,"server is stopping"]\n');
    expect((await post(host.url('/chat/0/b/xhr'))).body).toBe('c[1012,"server is stopping"]\n');
    expect((await post(host.url('/chat/0/c/xhr'))).status).toBe(503);
    for (const recorder of recorders) {
      expect(await recorder.closed.promise).toEqual({ code: 1012, reason: 'server is stopping' });
    }
  });
});
