import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What SQLite writes for a commit of one message: the pages of its log. */
const COMMIT_BYTES = 48 * 1024;
/** The size of the file, which is written anew like the log of SQLite. */
const FILE_BYTES = 16 * 1024 * 1024;

export interface Flushes {
  readonly p50: number;
  readonly p99: number;
}

/**
 * Writes and flushes as a server with one message in each commit does, and nothing else. This is
 * the yardstick of its latency on this disk. Resolves with milliseconds.
 * @param rate flushes a second
 */
export async function bareFlushes(rate: number, seconds: number): Promise<Flushes> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-bench-flush-'));
  const file = await open(join(folder, 'log'), 'w');
  try {
    const bytes = Buffer.alloc(COMMIT_BYTES, 'x');
    for (let at = 0; at < FILE_BYTES; at += COMMIT_BYTES) await file.write(bytes, 0, COMMIT_BYTES, at);
    await file.datasync();
    const took: number[] = [];
    const began = performance.now();
    for (let i = 0; i < rate * seconds; i += 1) {
      // Timed from the moment when it was due, as messages are: a stall counts for all that wait.
      const due = began + (i * 1_000) / rate;
      if (performance.now() < due) await delay(due - performance.now());
      await file.write(bytes, 0, COMMIT_BYTES, (i * COMMIT_BYTES) % FILE_BYTES);
      await file.datasync();
      took.push(performance.now() - due);
    }
    took.sort((a, b) => a - b);
    const at = (share: number) => took[Math.floor(took.length * share)] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
}
