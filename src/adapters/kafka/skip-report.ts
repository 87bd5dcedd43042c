import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { ConsumedMessage } from './kafka-record.ts';

const EVERY_MS = 60_000;

export type SkipReport = (topic: string, message: Pick<ConsumedMessage, 'offset'>, reason: string) => void;

/** Counts records that can't be decoded, and logs one of them a minute at most, without its content. */
export function skipReport(telemetry: Telemetry, now: () => number = Date.now): SkipReport {
  let last = Number.NEGATIVE_INFINITY;
  let silent = 0;
  return (topic, { offset }, reason) => {
    telemetry.count('records_skipped');
    if (now() - last < EVERY_MS) {
      silent += 1;
      return;
    }
    telemetry.log('warn', 'a record can not be decoded and is skipped', { topic, offset, reason, unlogged: silent });
    last = now();
    silent = 0;
  };
}
