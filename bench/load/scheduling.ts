import { readFileSync, writeFileSync } from 'node:fs';

/** Each step of niceness changes a weight of the scheduler by this factor. */
const FACTOR = 1.25;

/**
 * Gives the session of a process the CPU share of several sessions. Linux shares the CPU among
 * sessions before it shares it among processes (`sched_autogroup_enabled`). A server is a session
 * of its own, and so are Kafka, MongoDB and the bench. On a busy machine, the workers of one server
 * would get the share that each of two servers gets. Does nothing where the kernel has no such
 * groups.
 * @throws Error if this user may not raise the share, which root may
 */
export function giveShares(pid: number, shares: number): void {
  if (shares === 1 || !hasAutogroups()) return;
  writeFileSync(`/proc/${pid}/autogroup`, String(-Math.round(Math.log(shares) / Math.log(FACTOR))));
}

function hasAutogroups(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
