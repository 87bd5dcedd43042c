import type { Telemetry } from '../../application/ports/telemetry.ts';

/** A message of a client library about itself, such as a lost connection. */
export interface ClientMessage {
  /** The part of the library. */
  readonly component: string;
  readonly message: string;
  readonly error?: unknown;
  readonly groupId?: unknown;
  readonly broker?: unknown;
}

const LOG_INTERVAL_MS = 10_000;
const MAX_REMEMBERED_MESSAGES = 100;

/**
 * Logs each message of a client library at most once in 10 s. During an outage a library repeats it
 * many times a second.
 */
export function clientLog(telemetry: Telemetry): (message: ClientMessage) => void {
  const last = new Map<string, number>();
  return (fields) => {
    const now = performance.now();
    const repeated = `${fields.component} ${fields.message}`;
    if (now - (last.get(repeated) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL_MS) return;
    if (last.size >= MAX_REMEMBERED_MESSAGES) last.clear();
    last.set(repeated, now);
    telemetry.log('warn', 'kafka client', { ...fields });
  };
}
