import { expect, it } from 'vitest';
import { runStorm } from '../../dev/storm/storm.ts';

const MINUTES = Number(process.env.STORM_MINUTES ?? 10);
/** Time in which a storm starts its services, and ends: the repair, and the reading of all logs. */
const AROUND_MS = 8 * 60_000;

it('a storm shows 50 applications on the client package nothing lost, twice or out of order', {
  timeout: MINUTES * 60_000 + AROUND_MS,
}, async () => {
  const report = await runStorm({
    seed: 31,
    seconds: MINUTES * 60,
    rate: 60,
    packageClients: 50,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const { findings, surprises, resets, troubles, acknowledged, file } = report;
  process.stderr.write(`${JSON.stringify({ acknowledged, troubles, file })}\n`);
  expect({ findings, surprises, resets }).toEqual({ findings: [], surprises: [], resets: 0 });
  expect(acknowledged).toBeGreaterThan(MINUTES * 600);
});
