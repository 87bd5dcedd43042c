import { describe, expect, it } from 'vitest';
import { runStorm } from '../../dev/storm/storm.ts';

const MINUTES = Number(process.env.STORM_MINUTES ?? 10);

describe('a storm on three brokers, a replica set of three, and Redis with Sentinels', () => {
  it.each([21, 22])(
    'loses, repeats and reorders nothing with seed %i',
    { timeout: (MINUTES + 8) * 60_000 },
    async (seed) => {
      const report = await runStorm({
        seed,
        seconds: MINUTES * 60,
        rate: 60,
        stack: { brokers: 3, mongo: 3, redis: 'sentinel' },
        clocks: true,
        progress: (line) => process.stderr.write(`${line}\n`),
      });
      const { findings, surprises, resets, troubles, acknowledged, file } = report;
      process.stderr.write(`${JSON.stringify({ seed, acknowledged, troubles, file })}\n`);
      expect({ findings, surprises, resets }).toEqual({ findings: [], surprises: [], resets: 0 });
      expect(acknowledged).toBeGreaterThan(MINUTES * 600);
    },
  );
});
