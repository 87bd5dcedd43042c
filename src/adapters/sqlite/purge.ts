import type { DatabaseSync } from 'node:sqlite';

/**
 * Time from a deletion to the checkpoint that clears the WAL. Later deletions share it. It takes
 * about 20 ms.
 */
const CHECKPOINT_MS = 60_000;
/** Larger files are not rewritten when they close. 64 MB take about a second. */
const MAX_REWRITTEN_BYTES = 64 * 1024 * 1024;

export interface PurgeParts {
  readonly db: DatabaseSync;
  /** Runs `task` once after `ms` milliseconds, outside of a transaction. */
  readonly after: (ms: number, task: () => void) => void;
}

/**
 * Removes the copies of deleted texts that `secure_delete` does not overwrite:
 *
 * - The WAL holds earlier versions of pages. A checkpoint truncates it, a minute after a deletion
 *   and when the file closes.
 * - When SQLite moves rows to another page, their bytes may stay in the unused part of the first
 *   page. Few texts are concerned: one of 1,500 in a test with random rows. A file of up to 64 MB
 *   is rewritten when it closes after deletions.
 */
export class Purge {
  readonly #parts: PurgeParts;
  #isCheckpointDue = false;
  #isRewriteDue = false;

  constructor(parts: PurgeParts) {
    this.#parts = parts;
  }

  /** A text was deleted. Its transaction may still be open. */
  removed(): void {
    this.#isRewriteDue = true;
    if (this.#isCheckpointDue) return;
    this.#isCheckpointDue = true;
    this.#parts.after(CHECKPOINT_MS, () => this.#checkpoint());
  }

  /** Call it right before the database closes, which writes the last checkpoint. Never throws. */
  closing(): void {
    if (this.#isRewriteDue) this.#try(() => this.#rewriteSmallFile());
  }

  #checkpoint(): void {
    this.#isCheckpointDue = false;
    this.#try(() => this.#parts.db.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  #rewriteSmallFile(): void {
    const { db } = this.#parts;
    const sizes = db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size').get();
    if (Number(sizes?.bytes) <= MAX_REWRITTEN_BYTES) db.exec('VACUUM');
  }

  /** A failure, for example a full disk, leaves the data as they were. */
  #try(task: () => void): void {
    try {
      task();
    } catch {
      // The file is complete and correct all the same. A later deletion tries again.
    }
  }
}
