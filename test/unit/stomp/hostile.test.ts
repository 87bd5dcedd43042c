import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDecoder } from '../../../src/adapters/stomp/decoder.ts';
import type { MemoryConnection } from '../../support/memory-connection.ts';
import { Fixture, frame, LIMITS, read, say } from './fixture.ts';

const connect = 'CONNECT\naccept-version:1.2\naccess-token:user-1\n\n\0';
const known = fc.constantFrom(
  connect,
  frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5', 'last-seq': 0 }),
  frame('SUBSCRIBE', { id: 'e', destination: '/user/queue/errors', receipt: 'r' }),
  frame('UNSUBSCRIBE', { id: 'a' }),
  frame('ACK', { id: 'x' }),
  frame('DISCONNECT', { receipt: 'bye' }),
  frame('SEND', { destination: '/kafka/token' }, { token: { $gt: '' } }),
  say('text', 'r1'),
  say('a "quoted" \u0000 text'),
  '\n',
);

/** A known message with some bytes changed or cut off. */
const mutated = fc
  .tuple(known, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.option(fc.nat()))
  .map(([text, changes, cut]) => {
    const bytes = Buffer.from(text);
    for (const [place, value] of changes) bytes[place % bytes.length] = value;
    return cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
  });
const message = fc.oneof(
  { weight: 5, arbitrary: known },
  { weight: 2, arbitrary: mutated },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 50 }) },
);

function commands(connection: MemoryConnection): string[] {
  const decoder = new FrameDecoder({ frameBytes: 100_000, headerBytes: 10_000, headerCount: 50 });
  decoder.speak('1.2', { frameBytes: 100_000, headerBytes: 10_000, headerCount: 50 });
  decoder.push(Buffer.from(connection.received.join('')));
  const result: string[] = [];
  for (let next = decoder.next(); next !== null; next = decoder.next()) result.push(next.command);
  expect(decoder.waitingBytes).toBe(0);
  return result;
}

describe('hostile clients', () => {
  it('sends valid frames whatever a client sends, and keeps nothing of the client afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20 }), async (messages) => {
        const fixture = new Fixture();
        const connection = fixture.connection();
        connection.say(connect);
        for (const text of messages) connection.say(text);
        await new Promise<void>((resolve) => setImmediate(resolve));
        const answered = commands(connection);
        expect(answered[0]).toBe('CONNECTED');
        const errors = answered.filter((command) => command === 'ERROR').length;
        expect(errors).toBeLessThanOrEqual(1);
        if (errors === 1) expect(answered.at(-1)).toBe('ERROR');
        if (errors === 1) expect(connection.closed?.code).toBe(1002);
        connection.vanish();
        expect(fixture.endpoint.counts()).toMatchObject({ sessions: 0, subscriptions: 0 });
        expect(fixture.application.ended).toHaveLength(1);
        expect(fixture.clock.pending).toBe(0);
        expect(fixture.logs).not.toContain('a frame failed');
        expect(fixture.logs.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps no more than one frame of a client that sends slowly', () => {
    const fixture = new Fixture();
    const client = fixture.client();
    client.say('SEND\ndestination:/kafka/send-direct-message\n\n');
    let sent = 0;
    while (client.isOpen && sent < 200) {
      client.say('x'.repeat(1_000));
      sent += 1;
    }
    expect(sent * 1_000).toBeLessThan(LIMITS.frameBytes + 1_000);
    expect(client.closed?.code).toBe(1002);
  });

  it('closes a client that keeps sending while the server has stopped reading', () => {
    const fixture = new Fixture();
    const client = fixture.client();
    fixture.application.turn = new Promise(() => {});
    client.say(say('first'));
    let sent = 0;
    while (client.isOpen && sent < 200) {
      client.say(say('x'.repeat(10_000)));
      sent += 1;
    }
    expect(client.closed).toEqual({ code: 1008, reason: 'too many frames waiting' });
    expect(fixture.application.calls).toEqual([]);
  });

  it('closes a client that sends too many frames, and says how many are allowed', () => {
    const fixture = new Fixture();
    const client = fixture.client();
    const nothing = frame('UNSUBSCRIBE', { id: 'x' });
    // CONNECT was the first of 5,000 frames.
    for (let count = 0; count < 4_999; count++) client.say(nothing);
    client.say('\n');
    expect(client.isOpen).toBe(true);
    client.say(nothing);
    expect(read(client.received.at(-1)).headers).toMatchObject({
      code: '2429',
      message: 'too many frames; a connection may send 500 a second',
    });
    expect(client.closed?.code).toBe(1002);
  });

  it('accepts the allowed number of frames in every second', () => {
    const fixture = new Fixture();
    const client = fixture.client();
    for (let second = 0; second < 30; second++) {
      for (let count = 0; count < 499; count++) client.say(frame('UNSUBSCRIBE', { id: 'x' }));
      fixture.clock.pass(1_000);
    }
    expect(client.isOpen).toBe(true);
  });

  it('answers a subscription id that is too long by ERROR', () => {
    const client = new Fixture().client();
    client.say(frame('SUBSCRIBE', { id: '😀'.repeat(255), destination: '/topic/direct/5' }));
    expect(client.isOpen).toBe(true);
    client.say(frame('SUBSCRIBE', { id: 'x'.repeat(256), destination: '/topic/direct/6' }));
    expect(read(client.received.at(-1)).headers.code).toBe('2100');
    expect(client.closed?.code).toBe(1002);
  });

  it('leaves further frames undecoded while 1,000 commands are open', async () => {
    const fixture = new Fixture();
    const client = fixture.client();
    const gate = Promise.withResolvers<void>();
    fixture.application.gate = gate.promise;
    for (let count = 0; count < 1_200; count++) client.say(say('x', `r${count}`));
    expect(fixture.application.calls).toHaveLength(1_000);
    expect(client.isPaused).toBe(true);
    gate.resolve();
    await client.count(1_200);
    expect(client.received).toHaveLength(1_200);
    expect(client.isPaused).toBe(false);
  });
});
