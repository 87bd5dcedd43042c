import type { Telemetry } from '../../application/ports/telemetry.ts';

const LOG_INTERVAL_MS = 60_000;

/** @param position where the record is on the bus, as fields of a log line */
export type SkipReport = (position: Readonly<Record<string, unknown>>, error: string) => void;

/**
 * Counts records that cannot be decoded. It logs at most one of them a minute, without content.
 * @param now milliseconds of a clock that never goes back
 */
export function skipReport(telemetry: Telemetry, now: () => number = () => performance.now()): SkipReport {
  let last = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return (position, error) => {
    telemetry.count('records_skipped');
    if (now() - last < LOG_INTERVAL_MS) {
      unlogged += 1;
      return;
    }
    telemetry.log('warn', 'a record cannot be decoded and is skipped', { ...position, error, unlogged });
    last = now();
    unlogged = 0;
  };
}
