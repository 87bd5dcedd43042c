import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { EventLoopWatch } from '../../../src/bootstrap/event-loop-watch.ts';

function begin(): EventLoopWatch {
  const watch = new EventLoopWatch();
  onTestFinished(() => watch.stop());
  return watch;
}

/** Blocks the event loop for so many milliseconds. */
function block(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

it('shows how long the event loop was blocked and how busy it was between two ticks', async () => {
  const watch = begin();
  expect(watch.read().delayMs).toBeNull();
  await delay(30);
  watch.tick();
  block(150);
  await delay(30);
  watch.tick();
  const { utilization, delayMs } = watch.read();
  expect(delayMs).toBeGreaterThan(100);
  expect(utilization).toBeGreaterThan(0.5);
  expect(utilization).toBeLessThanOrEqual(1);
});

it('shows a delay that ends with the tick itself', async () => {
  const watch = begin();
  watch.read();
  await delay(30);
  watch.tick();
  block(100);
  watch.tick();
  expect(watch.read().delayMs).toBeGreaterThan(50);
});

it('measures delays only while somebody reads', async () => {
  const watch = begin();
  watch.tick();
  expect(watch.read().delayMs).toBeNull();
  watch.tick();
  expect(watch.read().delayMs).not.toBeNull();
  for (let second = 0; second < 16; second++) watch.tick();
  expect(watch.read().delayMs).toBeNull();
});
