import { expect, it, onTestFinished, vi } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { skipReport } from '../../../src/adapters/records/skip-report.ts';

it('counts every skipped record and logs one a minute', () => {
  const telemetry = new RecordedTelemetry();
  let now = 0;
  const report = skipReport(telemetry, () => now);
  for (let i = 0; i < 5; i += 1) report({ offset: i }, 'the value is not valid JSON');
  now = 60_000;
  report({ offset: 5 }, 'the value is not valid JSON');
  expect(telemetry.counts.get('records_skipped')).toBe(6);
  expect(telemetry.logs.map(({ fields }) => [fields.offset, fields.unlogged])).toEqual([
    [0, 0],
    [5, 4],
  ]);
});

it('goes on logging after the wall clock was set back', () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const telemetry = new RecordedTelemetry();
  const report = skipReport(telemetry);
  report({}, 'first');
  vi.advanceTimersByTime(61_000);
  vi.setSystemTime(Date.now() - 120_000);
  report({}, 'second');
  expect(telemetry.logs).toHaveLength(2);
});
