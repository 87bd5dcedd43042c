import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { AppendFailures } from '../../../../src/application/ordering/append-failures.ts';
import { Refusal } from '../../../../src/domain/errors.ts';

const FULL = new Refusal('store-failed', 'the database refused the operation');
const AWAY = new Error('no answer');

function start() {
  const telemetry = new RecordedTelemetry();
  let now = 0;
  const failures = new AppendFailures({ clock: { monotonic: () => now }, telemetry });
  const fail = (seconds: number, error: Error) => {
    now = seconds * 1_000;
    failures.failed('r-5', error);
  };
  const work = (seconds: number) => {
    now = seconds * 1_000;
    failures.worked();
  };
  const lines = () => telemetry.logs.map(({ level, fields }) => [level, fields?.failures]);
  return { telemetry, fail, work, lines };
}

it('logs an outage of the store at its start, once a minute, and at its end', () => {
  const { telemetry, fail, work, lines } = start();
  work(0);
  for (let second = 1; second <= 90; second += 1) fail(second, AWAY);
  work(100);
  work(101);
  expect(lines()).toEqual([
    ['warn', 1],
    ['warn', 61],
    ['info', 90],
  ]);
  expect(telemetry.logs.at(-1)?.fields).toEqual({ failures: 90, seconds: 99 });
  expect(Object.fromEntries(telemetry.counts)).toEqual({ append_failures: 90 });
});

it('logs an error as soon as the store refuses writes, and counts the refused ones', () => {
  const { telemetry, fail, lines } = start();
  fail(1, AWAY);
  fail(2, FULL);
  fail(3, FULL);
  fail(4, AWAY);
  fail(5, FULL);
  expect(lines()).toEqual([
    ['warn', 1],
    ['error', 2],
  ]);
  expect(Object.fromEntries(telemetry.counts)).toEqual({ append_failures: 5, appends_refused: 3 });
});

it('does not log a line for each of many short outages', () => {
  const { fail, work, lines } = start();
  for (let second = 1; second <= 50; second += 1) {
    fail(second, AWAY);
    work(second);
  }
  expect(lines().length).toBeLessThan(5);
});
