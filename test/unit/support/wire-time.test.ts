import { expect, it } from 'vitest';
import { compactTime, wireTime } from '../../../src/adapters/support/wire-time.ts';

const MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

it('formats a time for clients in UTC, with milliseconds and without a zone', () => {
  expect(wireTime(MS)).toBe('2026-01-02T03:04:05.006');
});

it('formats a compact time with a fixed number of digits', () => {
  expect(compactTime(MS)).toBe('20260102030405006');
});
