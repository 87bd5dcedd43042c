import { NO_ANSWER_TO_PINGS, SLOW_CONSUMER } from '../transport/connection.ts';
import type { CloseCause } from './counts.ts';

/** Close codes that are counted by their number. Clients may send any other one from 3000 on. */
const KNOWN_CODES = new Set([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013]);

/** The close code as a label. */
export function codeLabel(code: number): string {
  return KNOWN_CODES.has(code) ? String(code) : 'other';
}

/** Why a connection ended that the session did not close. */
export function causeOfEnd(code: number, reason: string): CloseCause {
  if (reason === SLOW_CONSUMER) return 'slow_consumer';
  if (reason === NO_ANSWER_TO_PINGS) return 'heart_beat';
  switch (code) {
    case 1002:
    case 1003:
    case 1007:
      return 'protocol';
    case 1006:
      return 'lost';
    case 1008:
      return 'limit';
    case 1009:
      return 'too_large';
    case 1011:
      return 'internal';
    case 1012:
      return 'drain';
    default:
      return 'client';
  }
}
