import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../../dev/durability/checker.ts';
import type { SimulatedServer } from '../../../../dev/durability/simulated-server.ts';
import { Simulation, type SimulationOptions } from '../../../../dev/durability/simulation.ts';
import { Refusal } from '../../../../src/domain/errors.ts';

/** A failure is replayed with SIMULATION_SEED. Every third seed is for workers of one machine. */
const seeds = process.env.SIMULATION_SEED === undefined ? [1, 2, 3] : [Number(process.env.SIMULATION_SEED)];

const options: SimulationOptions = { seed: 1, servers: 3, rooms: 4, messages: 400, subscribersPerRoom: 4 };

describe('three servers under simulated faults', () => {
  const runs = seeds.map((seed) => ({ seed, areWorkers: seed % 3 === 0 }));
  for (const { seed, areWorkers } of runs) {
    const name = areWorkers ? 'workers of one machine' : 'servers';
    it(`three ${name} lose, repeat and reorder no event (seed ${seed})`, { timeout: 60_000 }, async () => {
      const result = await Simulation.run({ ...options, seed, areWorkers });
      const { findings, acknowledged, deliveries, resumes, resets, happened } = result;
      expect(findings).toEqual([]);
      // Nobody was away for longer than the window reaches.
      expect(resets).toBe(0);
      // The others are edits and deletions of messages that were deleted before.
      expect(acknowledged).toBeGreaterThan(350);
      expect(deliveries).toBeGreaterThan(acknowledged * 3);
      expect(resumes).toBeGreaterThan(30);
      for (const times of Object.values(happened)) expect(times).toBeGreaterThan(0);
    });
  }

  it('the same seed gives the same run again', { timeout: 60_000 }, async () => {
    const short = { ...options, seed: 4, messages: 150 };
    const [one, other] = [await Simulation.run(short), await Simulation.run(short)];
    expect(one.records).toEqual(other.records);
  });
});

/**
 * True at every `times`-th call. By count and not at random, so that every seed meets the planted
 * defect.
 */
function each(times: number): () => boolean {
  let count = 0;
  return () => ++count % times === 0;
}

const PLANTED: readonly [string, (server: SimulatedServer) => void, Fault][] = [
  [
    'a delivery left out',
    (server) => {
      const now = each(40);
      const deliver = server.deliver.bind(server);
      server.deliver = (destination, event) => now() || deliver(destination, event);
    },
    'gap',
  ],
  [
    'a delivery made twice',
    (server) => {
      const now = each(40);
      const deliver = server.deliver.bind(server);
      server.deliver = (destination, event) => {
        deliver(destination, event);
        if (now()) deliver(destination, event);
      };
    },
    'delivered twice or out of order',
  ],
  [
    'two deliveries of a place swapped',
    (server) => {
      const now = each(20);
      const deliver = server.deliver.bind(server);
      const held = new Map<string, Parameters<typeof deliver>[1]>();
      server.deliver = (destination, event) => {
        const before = held.get(destination);
        held.delete(destination);
        if (before === undefined && now()) {
          held.set(destination, event);
          return;
        }
        deliver(destination, event);
        if (before !== undefined) deliver(destination, before);
      };
    },
    'delivered twice or out of order',
  ],
  [
    'a receipt for what is not certain to be stored',
    (server) => {
      const send = server.app.sendDirectMessage;
      const invented = (error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        return { seq: 1, id: 'invented' };
      };
      server.app = {
        ...server.app,
        sendDirectMessage: async (caller, input) => {
          const { result } = await send(caller, input);
          return { result: result.catch(invented) };
        },
      };
    },
    'acknowledged but not stored',
  ],
];

describe('a simulation with a planted defect', () => {
  for (const [name, sabotage, fault] of PLANTED) {
    it(`the simulation finds the planted defect: ${name}`, { timeout: 60_000 }, async () => {
      const { findings } = await Simulation.run({ ...options, messages: 200, sabotage });
      expect(findings.map((finding) => finding.fault)).toContain(fault);
    });
  }
});
