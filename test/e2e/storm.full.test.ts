import { expect, it } from 'vitest';
import { prometheusProgram } from '../../dev/services/prometheus.ts';
import { skipOrFail } from '../../dev/services/shared.ts';
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

it('each trouble of a storm raises its alert, and no alert fires without a trouble', {
  timeout: MINUTES * 60_000 + AROUND_MS,
}, async (context) => {
  try {
    prometheusProgram('prometheus');
  } catch (error) {
    skipOrFail(context, error);
  }
  const report = await runStorm({
    seed: 3,
    seconds: MINUTES * 60,
    rate: 40,
    alerts: true,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const { findings, surprises, resets, alerts } = report;
  process.stderr.write(`${JSON.stringify(alerts?.raised)}\n`);
  expect({ findings, surprises, resets, alerts: alerts?.findings }).toEqual({
    findings: [],
    surprises: [],
    resets: 0,
    alerts: [],
  });
  expect(alerts?.raised.filter(({ seconds }) => seconds !== null).length).toBeGreaterThan(MINUTES);
});

it.each([
  ['embedded parts', false],
  ['Kafka and MongoDB', true],
])(
  'a storm on three workers with %s loses, repeats and reorders nothing',
  {
    timeout: MINUTES * 60_000 + AROUND_MS,
  },
  async (_, workersOnServices) => {
    const report = await runStorm({ seed: 21, seconds: MINUTES * 60, rate: 100, workers: 3, workersOnServices });
    const { findings, surprises, resets } = report;
    expect({ findings, surprises, resets }).toEqual({ findings: [], surprises: [], resets: 0 });
    expect(report.acknowledged).toBeGreaterThan(MINUTES * 600);
  },
);
