import { describe, expect, it } from 'vitest';
import { Simulation } from '../../support/durability/simulation.ts';

/** Replay a failure with SIMULATION_SEED. */
const seeds = process.env.SIMULATION_SEED === undefined ? [1, 2, 3] : [Number(process.env.SIMULATION_SEED)];

describe('three servers under simulated faults', () => {
  for (const seed of seeds) {
    it(`lose, repeat and reorder nothing (seed ${seed})`, { timeout: 60_000 }, async () => {
      const verdict = await Simulation.run({ seed, servers: 3, rooms: 4, messages: 600, subscribersPerRoom: 4 });
      expect(verdict.findings).toEqual([]);
      expect(verdict.acknowledged).toBe(600);
      expect(verdict.deliveries).toBeGreaterThanOrEqual(600);
      expect(verdict.kills).toBeGreaterThan(0);
    });
  }
});
