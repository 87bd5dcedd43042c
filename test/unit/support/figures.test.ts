import { expect, it } from 'vitest';
import { Distribution, LabelledCounts, LabelledDistributions } from '../../../src/adapters/support/figures.ts';

it('counts a value in the first bucket whose bound is not smaller', () => {
  const distribution = new Distribution([1, 2, 5]);
  for (const value of [0, 1, 1.5, 5, 5.1, 99]) distribution.observe(value);
  expect(distribution.cumulative()).toEqual([2, 3, 4, 6]);
  expect([distribution.count, distribution.sum]).toEqual([6, 111.6]);
});

it('shows the same values in a smaller unit', () => {
  const distribution = new Distribution([0.001, 0.5]);
  distribution.observe(0.25);
  const scaled = distribution.scaled(1_000);
  expect([scaled.bounds, scaled.cumulative(), scaled.sum]).toEqual([[1, 500], [0, 1, 1], 250]);
  expect(distribution.sum).toBe(0.25);
});

it('keeps a counter for each combination of labels, from 0 where it was announced', () => {
  const counts = new LabelledCounts('code', 'reason');
  counts.start('1006', 'lost');
  counts.add('1000', 'client');
  counts.add('1000', 'client');
  counts.start('1000', 'client');
  expect(counts.total).toBe(2);
  expect(counts.samples()).toEqual([
    { labels: { code: '1006', reason: 'lost' }, value: 0 },
    { labels: { code: '1000', reason: 'client' }, value: 2 },
  ]);
});

it('keeps a histogram for each combination of labels', () => {
  const times = new LabelledDistributions([1], 'part', 'outcome');
  times.observe(0.5, 'redis', 'ok');
  times.observe(2, 'redis', 'error');
  times.observe(0.1, 'redis', 'ok');
  expect([times.count(), times.count('redis', 'ok'), times.count('redis', 'other')]).toEqual([3, 2, 0]);
  expect(times.samples().map(({ labels }) => labels)).toEqual([
    { part: 'redis', outcome: 'ok' },
    { part: 'redis', outcome: 'error' },
  ]);
});
