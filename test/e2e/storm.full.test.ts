import { expect, it } from 'vitest';
import { runStorm } from '../../dev/storm/storm.ts';

const MINUTES = Number(process.env.STORM_MINUTES ?? 10);
/** Time in which a storm starts its services, and ends: the repair, and the reading of all logs. */
const AROUND_MS = 8 * 60_000;

it.each([
  ['kafkajs', 21],
  ['kafkajs', 22],
  ['platformatic', 21],
  ['platformatic', 22],
])(
  'a storm on three brokers, a replica set of three and Sentinels loses, repeats and reorders nothing (%s, seed %i)',
  {
    timeout: MINUTES * 60_000 + AROUND_MS,
  },
  async (client, seed) => {
    const report = await runStorm({
      seed,
      seconds: MINUTES * 60,
      rate: 60,
      stack: { brokers: 3, mongo: 3, redis: 'sentinel' },
      clocks: true,
      env: { KAFKA_CLIENT: client },
      progress: (line) => process.stderr.write(`${line}\n`),
    });
    const { findings, surprises, resets, troubles, acknowledged, file } = report;
    process.stderr.write(`${JSON.stringify({ client, seed, acknowledged, troubles, file })}\n`);
    expect({ findings, surprises, resets }).toEqual({ findings: [], surprises: [], resets: 0 });
    expect(acknowledged).toBeGreaterThan(MINUTES * 600);
  },
);
