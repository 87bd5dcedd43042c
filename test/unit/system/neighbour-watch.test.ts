import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { NeighbourWatch } from '../../../src/bootstrap/neighbour-watch.ts';
import { Outages } from '../../../src/bootstrap/outages.ts';
import { HandClock } from '../../support/hand-clock.ts';

function start() {
  const clock = new HandClock();
  const telemetry = new RecordedTelemetry();
  const address = 'tcp://presence:7000';
  const outages = new Outages(clock);
  const variable = 'PRESENCE_URL';
  const watch = new NeighbourWatch({ name: 'presence', variable, address, clock, telemetry, outages });
  return { clock, telemetry, watch, outages };
}

const WARNING = { level: 'warn', what: 'the presence service does not answer' };
const RETURN = { level: 'info', what: 'the presence service answers again' };

it('warns at once about a neighbour that does not answer, with its variable, and then once a minute', () => {
  const { clock, telemetry, watch } = start();
  watch.down('connect ECONNREFUSED 10.0.0.1:7000');
  const fields = { variable: 'PRESENCE_URL', address: 'tcp://presence:7000' };
  expect(telemetry.logs).toEqual([
    { ...WARNING, fields: { ...fields, seconds: 0, error: 'connect ECONNREFUSED 10.0.0.1:7000' } },
  ]);
  for (let seconds = 0; seconds < 185; seconds += 1) {
    clock.pass(1_000);
    watch.down('no answer within 500 ms');
  }
  expect(telemetry.logs.slice(1)).toEqual(
    [60, 120, 180].map((seconds) => ({
      ...WARNING,
      fields: { ...fields, seconds, error: 'no answer within 500 ms' },
    })),
  );
});

it('continues to warn about a neighbour that nobody asks meanwhile', () => {
  const { clock, telemetry, watch } = start();
  watch.down('no answer');
  clock.pass(10 * 60_000);
  expect(telemetry.logs).toHaveLength(11);
});

it('says once that a neighbour answers again, and warns no more', () => {
  const { clock, telemetry, watch } = start();
  watch.down('no answer');
  clock.pass(90_000);
  watch.up();
  watch.up();
  clock.pass(10 * 60_000);
  expect(telemetry.logs).toMatchObject([WARNING, WARNING, RETURN]);
  expect(clock.pending).toBe(0);
});

it('says nothing about a neighbour that answers from the start', () => {
  const { clock, telemetry, watch } = start();
  watch.up();
  clock.pass(120_000);
  expect(telemetry.logs).toEqual([]);
});

it('warns at most once a minute about a neighbour that comes and goes', () => {
  const { clock, telemetry, watch } = start();
  for (let seconds = 0; seconds < 119; seconds += 1) {
    watch.down('the connection ended');
    clock.pass(500);
    watch.up();
    clock.pass(500);
  }
  expect(telemetry.logs.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(2);
  expect(telemetry.logs.length).toBeLessThanOrEqual(4);
});

it('says nothing after it was stopped', () => {
  const { clock, telemetry, watch } = start();
  watch.down('no answer');
  watch.stop();
  clock.pass(120_000);
  watch.up();
  expect(telemetry.logs).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

it('shows the outage on the health page, with the last reason, until the neighbour answers', () => {
  const { watch, outages } = start();
  watch.down('connect ECONNREFUSED 10.0.0.1:7000');
  watch.down('no answer within 500 ms');
  expect(outages.list()).toEqual([{ part: 'presence', reason: 'no answer within 500 ms' }]);
  watch.up();
  expect(outages.list()).toEqual([]);
});

it('shows a single failure of a part for a minute', () => {
  const { clock, outages } = start();
  outages.happened('files', 'ENOSPC');
  clock.pass(59_000);
  expect(outages.list()).toEqual([{ part: 'files', reason: 'ENOSPC' }]);
  clock.pass(1_000);
  expect(outages.list()).toEqual([]);
});
