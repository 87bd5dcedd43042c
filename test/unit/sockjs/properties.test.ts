import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { get, post, startSockJsHost } from '../../../dev/sockjs-host.ts';
import { PayloadError, readMessages } from '../../../src/adapters/sockjs/frames.ts';
import { routeOf } from '../../../src/adapters/sockjs/route.ts';

const messages = fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 5 });

/** A valid body with some bytes changed or cut off. */
const mutated = fc
  .tuple(messages, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.option(fc.nat()))
  .map(([list, changes, cut]) => {
    const bytes = Buffer.from(JSON.stringify(list));
    for (const [place, value] of changes) bytes[place % bytes.length] = value;
    return cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
  });

describe('input of SockJS clients', () => {
  it('reads any text as messages, or refuses it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' }), mutated.map(String)), (text) => {
        try {
          for (const message of readMessages(text)) expect(typeof message).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(PayloadError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds a route or none for any path, and never a session id over 128 characters', () => {
    const part = fc.oneof(fc.constantFrom('chat', 'xhr', 'websocket', '..', '', '%2e'), fc.string({ maxLength: 200 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const route = routeOf(`/${parts.join('/')}`, '/chat');
        if (route?.kind === 'session') expect(route.session.length).toBeLessThanOrEqual(128);
      }),
      { numRuns: 2_000 },
    );
  });

  it('delivers the messages of an HTTP body in order, or refuses all of them', async () => {
    await using host = await startSockJsHost();
    await post(host.url('/chat/0/s/xhr'));
    const { messages: received, connection } = await host.accepted();
    const expected: string[] = [];
    const streaming = get(host.url('/chat/0/s/eventsource'));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          messages.map((list) => Buffer.from(JSON.stringify(list))),
          mutated,
        ),
        async (body) => {
          const { status } = await post(host.url('/chat/0/s/xhr_send'), body);
          expect([204, 500]).toContain(status);
          if (status === 204) expected.push(...readMessages(body.toString()));
          expect(received).toEqual(expected);
          expect(connection.isOpen).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
    connection.close(3000, 'done');
    await streaming;
    expect(host.errors).toEqual([]);
  });

  it('delivers the messages of a WebSocket, or closes only that connection', async () => {
    await using host = await startSockJsHost();
    await fc.assert(
      fc.asyncProperty(fc.array(mutated, { maxLength: 5 }), async (bodies) => {
        const socket = new WebSocket(host.url('/chat/0/s/websocket').replace('http', 'ws'), {
          perMessageDeflate: false,
        });
        await once(socket, 'open');
        const recorder = await host.accepted();
        for (const body of bodies) socket.send(body, { binary: true });
        socket.close();
        await recorder.closed.promise;
        expect(recorder.closings).toBe(1);
        for (const message of recorder.messages) expect(typeof message).toBe('string');
      }),
      { numRuns: 60 },
    );
    expect([host.errors, host.sockJs.counts.webSockets]).toEqual([[], 0]);
  });
});
