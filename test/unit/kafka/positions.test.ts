import { describe, expect, test } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { ReadPositions, StallWatch } from '../../../src/adapters/kafka/positions.ts';
import { skipReport } from '../../../src/adapters/kafka/skip-report.ts';

const batch = (...offsets: number[]) => offsets.map((offset) => ({ offset: String(offset) }));

describe('read positions', () => {
  test('records behind the position were handled before', () => {
    const positions = new ReadPositions(new Map([[0, 10]]));
    expect(positions.handledBefore(0, batch(8, 9, 10, 11), 12)).toBe(2);
    expect(positions.handledBefore(0, batch(10, 11), 12)).toBe(0);
    expect(positions.handledBefore(0, batch(8, 9), 12)).toBe(2);
    expect(positions.handledBefore(0, batch(14, 15), 16)).toBe(0);
  });

  test('a partition that was added later is read from its start', () => {
    expect(new ReadPositions(new Map([[0, 10]])).of(1)).toBe(0);
  });

  test('a topic that was made anew is not taken for an old one', () => {
    const positions = new ReadPositions(new Map([[0, 1000]]));
    expect(positions.handledBefore(0, batch(0, 1), 2)).toBe(0);
    positions.set(0, 2);
    expect(positions.handledBefore(0, batch(1, 2), 3)).toBe(1);
  });

  test('what moved is told once', () => {
    const positions = new ReadPositions(new Map([[0, 1]]));
    expect(positions.takeChanged()).toEqual([]);
    positions.set(0, 5);
    expect(positions.takeChanged()).toEqual([[0, 5]]);
    expect(positions.takeChanged()).toEqual([]);
  });
});

describe('stall watch', () => {
  test('sees a partition that has records and makes no step, and only that', () => {
    const positions = new ReadPositions(new Map([[0, 1]]));
    const watch = new StallWatch();
    expect(watch.look(positions, new Map([[0, 1]]))).toBe(false);
    expect(watch.look(positions, new Map([[0, 5]]))).toBe(false);
    expect(watch.look(positions, new Map([[0, 5]]))).toBe(true);
    positions.set(0, 2);
    expect(watch.look(positions, new Map([[0, 9]]))).toBe(false);
  });
});

test('every skipped record is counted, one a minute is logged', () => {
  const telemetry = new RecordedTelemetry();
  let now = 0;
  const report = skipReport(telemetry, () => now);
  for (let i = 0; i < 5; i += 1) report('t', { offset: String(i) }, 'no JSON');
  now = 60_000;
  report('t', { offset: '5' }, 'no JSON');
  expect(telemetry.counts.get('records_skipped')).toBe(6);
  expect(telemetry.logs.map(({ fields }) => [fields.offset, fields.unlogged])).toEqual([
    ['0', 0],
    ['5', 4],
  ]);
});
