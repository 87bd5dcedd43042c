import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of all threads of a process that live now, in microseconds. It is exact, where the times
 * of {@link ProcessMeter} have steps of 10 ms. Linux only.
 */
export function threadTimeOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1_000;
}
