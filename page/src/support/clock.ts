import type { Entry } from 'chat-server-client';

/** Milliseconds since 1970 of an entry; NaN where its time cannot be read. */
export function timeOf({ time }: Entry): number {
  return Date.parse(/[zZ]$/.test(time) ? time : `${time}Z`);
}

/** The day in the reader's time zone, for comparing; empty for NaN. */
export function dayOf(ms: number): string {
  return Number.isNaN(ms) ? '' : new Date(ms).toDateString();
}
