import { describe, expect, it } from 'vitest';
import { flushSoon } from '../../../src/adapters/transport/flush-soon.ts';

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('flushSoon', () => {
  it('flushes after the turn of the event loop, and targets added meanwhile a turn later', async () => {
    const flushes: string[] = [];
    const second = { flush: () => flushes.push('second') };
    flushSoon({ flush: () => [flushes.push('first'), flushSoon(second)] });
    expect(flushes).toEqual([]);
    await turn();
    expect(flushes).toEqual(['first']);
    await turn();
    expect(flushes).toEqual(['first', 'second']);
  });

  it('flushes many targets in slices and in order, and lets the event loop run in between', async () => {
    const flushes: number[] = [];
    const ask = (from: number, count: number) => {
      for (let i = from; i < from + count; i += 1) flushSoon({ flush: () => flushes.push(i) });
    };
    ask(0, 3_000);
    const turns: number[] = [];
    // More targets are added while the first ones are flushed.
    for (let asked = 3_000; flushes.length < asked || asked < 5_000; ) {
      await turn();
      turns.push(flushes.length);
      if (asked < 5_000) {
        ask(asked, 500);
        asked += 500;
      }
    }
    expect(flushes).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
    const slices = turns.map((sum, i) => sum - (turns[i - 1] ?? 0));
    expect(Math.max(...slices)).toBeLessThanOrEqual(64);
    expect(slices.slice(0, -1).every((size) => size > 0)).toBe(true);
  });
});
