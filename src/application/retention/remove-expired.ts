import { isFileUrl } from '../../domain/file.ts';
import type { Message } from '../../domain/message.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileStore } from '../ports/file-store.ts';
import type { Job } from '../ports/job-store.ts';
import type { StoredData } from '../ports/stored-data.ts';
import { type JobContext, Tally } from './job-context.ts';

/** Ages in days; null: kept for ever. */
export interface RetentionRules {
  readonly days: number | null;
  readonly fileDays: number | null;
  /**
   * Human-readable: other places that keep copies of removed data, and until when. Shown beside
   * each job.
   */
  readonly copies?: readonly string[];
}

/** Interval of the runs, in milliseconds. */
export const RETENTION_INTERVAL_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Events of a place that are removed in one transaction. */
const BATCH_EVENTS = 200;
const BATCH_PLACES = 50;
const BATCH_FILES = 50;

export interface RemoveExpiredParts {
  readonly rules: RetentionRules;
  readonly data: StoredData;
  readonly files: FileStore;
  readonly clock: Clock;
  /** Deletes a message of any author by an event. */
  readonly deleteMessage: (message: Message) => Promise<void>;
}

/**
 * Removes messages and files that are too old. Bytes of files are removed before their messages, so
 * that a crash in between leaves no bytes that nothing shows. Old files are deleted by events, so
 * that clients forget them.
 */
export class RemoveExpired {
  readonly #parts: RemoveExpiredParts;

  constructor(parts: RemoveExpiredParts) {
    this.#parts = parts;
  }

  async run({ job, step }: JobContext): Promise<Job> {
    const { clock } = this.#parts;
    const isDry = job.task.kind === 'retention-dry-run';
    const rules: RetentionRules = job.task.kind === 'retention-dry-run' ? job.task : this.#parts.rules;
    // The counts are those of one run. A run that goes on after a crash keeps its own.
    const tally = new Tally(job.cursor === null ? {} : job.counts);
    for (const kind of ['messages', 'events', 'files']) tally.add(kind, 0);
    const now = clock.now();
    let cursor = job.cursor;
    const saved = (): Promise<void> => step({ cursor, counts: tally.counts });
    if (rules.days !== null) {
      const before = now - rules.days * DAY_MS;
      for (let next: string | null = cursor; ; ) {
        const part = await this.#parts.data.places(next, BATCH_PLACES);
        for (const place of part.places) await this.#clear(place, before, isDry, tally, saved);
        next = part.next;
        if (next === null) break;
        cursor = next;
        await saved();
      }
    }
    if (rules.fileDays !== null) {
      const before = now - rules.fileDays * DAY_MS;
      // Older messages are counted with their files already.
      const from = rules.days === null ? 0 : now - rules.days * DAY_MS;
      if (isDry) tally.add('files', await this.#parts.data.countFiles(from, before));
      else await this.#clearFiles(before, tally, saved);
    }
    return {
      ...job,
      state: isDry ? 'done' : 'waiting',
      cursor: null,
      counts: tally.counts,
      error: null,
      finishedAt: clock.now(),
      dueAt: clock.now() + RETENTION_INTERVAL_MS,
    };
  }

  async #clear(
    place: Message['place'],
    before: number,
    isDry: boolean,
    tally: Tally,
    saved: () => Promise<void>,
  ): Promise<void> {
    const { data, files } = this.#parts;
    for (let after = 0; ; ) {
      const part = await data.expired(place, after, before, BATCH_EVENTS);
      if (part.events + part.messages === 0) return;
      if (isDry) {
        after = part.upTo;
      } else {
        for (const key of part.files) await files.remove(key);
        await data.removeExpired(place, part, before);
      }
      tally.add('messages', part.messages);
      tally.add('events', part.events);
      tally.add('files', part.files.length);
      await saved();
      if (isDry && after === 0) return;
    }
  }

  async #clearFiles(before: number, tally: Tally, saved: () => Promise<void>): Promise<void> {
    const { data, files, deleteMessage } = this.#parts;
    for (;;) {
      const found = await data.expiredFiles(before, BATCH_FILES);
      if (found.length === 0) return;
      for (const message of found) {
        const keys = fileKeysOf(message);
        for (const key of keys) await files.remove(key);
        await deleteMessage(message);
        tally.add('messages', 1);
        tally.add('files', keys.length);
      }
      await saved();
    }
  }
}

/** Keys in the file store of the files that a message shows. */
export function fileKeysOf({ type, content, thumbnail }: Pick<Message, 'type' | 'content' | 'thumbnail'>): string[] {
  if (type === null || type === 'reply') return [];
  return [content, thumbnail].flatMap((key) => (key === null || key === '' || isFileUrl(key) ? [] : [key]));
}
