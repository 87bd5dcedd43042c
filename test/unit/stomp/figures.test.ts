import { expect, it } from 'vitest';
import { causeOfEnd, codeLabel } from '../../../src/adapters/stomp/close-cause.ts';
import { DeliveryTimes } from '../../../src/adapters/stomp/delivery-times.ts';
import { flushSoon } from '../../../src/adapters/transport/flush-soon.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { Fixture } from './fixture.ts';

it('measures a delivery to the flush of the last socket that was written to', async () => {
  const clock = new HandClock();
  const times = new DeliveryTimes(clock);
  const began = clock.monotonic();
  clock.stall(20);
  flushSoon({ flush: () => clock.stall(300) });
  times.written({ path: 'local', since: began });
  flushSoon({ flush: () => clock.stall(5_000) });
  times.written({ path: 'bus', since: began });
  await new Promise<void>((resolve) => flushSoon({ flush: resolve }));
  expect(times.local.sum).toBeCloseTo(0.32);
  expect(times.bus.sum).toBeCloseTo(5.32);
});

it.each([
  [1000, '', 'client'],
  [4001, 'my own code', 'client'],
  [1006, '', 'lost'],
  [1006, 'no answer to pings', 'heart_beat'],
  [1008, 'slow consumer', 'slow_consumer'],
  [1008, 'too many messages waiting', 'limit'],
  [1009, '', 'too_large'],
  [1007, '', 'protocol'],
  [1012, 'the server is stopping', 'drain'],
  [1011, 'internal error', 'internal'],
])('names the cause of a connection that ended with %i "%s"', (code, reason, cause) => {
  expect(causeOfEnd(code, reason)).toBe(cause);
});

it('counts close codes that clients invent as one', () => {
  expect([codeLabel(1006), codeLabel(3_123), codeLabel(4_999)]).toEqual(['1006', 'other', 'other']);
});

it('counts connects, their refusals and the closes that follow, each once', async () => {
  const fixture = new Fixture();
  const { figures } = fixture.endpoint;
  const value = (counts: { samples(): readonly { labels: object; value: unknown }[] }, labels: object) =>
    counts.samples().find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;
  fixture.client(1);
  fixture.connection().say('CONNECT\naccept-version:1.2\n\n\0');
  expect(value(figures.connects, { result: 'ok' })).toBe(1);
  expect(value(figures.connects, { result: 'no-token' })).toBe(1);
  expect(value(figures.closes, { code: '1002', reason: 'token' })).toBe(1);
  await fixture.endpoint.drain({ code: 1012, reason: 'the server is stopping', overMs: 0, withinMs: 100 });
  expect(value(figures.closes, { code: '1012', reason: 'drain' })).toBe(1);
  expect(figures.closes.total).toBe(2);
  expect(figures.received).toMatchObject({ connect: 2 });
  expect(figures.sent).toMatchObject({ connected: 1, error: 1 });
});
