import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Restrictions } from '../moderation/restrictions.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileStore } from '../ports/file-store.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { ErasureMode, Job, JobStore, JobTask } from '../ports/job-store.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { StoredData } from '../ports/stored-data.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { EraseUser, type EraseUserParts } from './erase-user.ts';
import { type ExportLine, exportUser } from './export-user.ts';
import type { JobContext } from './job-context.ts';
import { JobRunner } from './job-runner.ts';
import { RemoveExpired, type RetentionRules } from './remove-expired.ts';

/** The id of the retention job that repeats. */
export const RETENTION_JOB = 'retention';
/** Jobs that every server can do. */
const KINDS = ['erasure', 'retention-dry-run'] as const;

export interface DataJobsParts extends Pick<EraseUserParts, 'deleteMessage' | 'forgetRecent' | 'forgetEverywhere'> {
  readonly server: string;
  readonly rules: RetentionRules;
  readonly data: StoredData;
  readonly jobs: JobStore;
  readonly store: MessageStore;
  readonly restrictions: Restrictions;
  readonly files: FileStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly telemetry: Telemetry;
}

/** The present values for the metrics. */
export interface DataJobFigures {
  /** True while this server does a job. */
  readonly isBusy: boolean;
  /** End of the last complete retention run that this server did, in milliseconds; 0 for none. */
  readonly retentionFinishedAt: number;
}

/** A job, and the copies that it does not reach. */
export interface JobReport extends Job {
  /** Human-readable: what else keeps copies of removed data, and until when. */
  readonly copies: readonly string[];
}

/** Retention, and the export and erasure of one person. */
export class DataJobs {
  readonly #parts: DataJobsParts;
  readonly #runner: JobRunner;
  readonly #erase: EraseUser;
  readonly #expire: RemoveExpired;
  #retentionFinishedAt = 0;

  constructor(parts: DataJobsParts) {
    this.#parts = parts;
    this.#erase = new EraseUser(parts);
    this.#expire = new RemoveExpired(parts);
    // A server without rules must not take the retention job: it would remove nothing.
    const kinds = hasRules(parts.rules) ? ([...KINDS, 'retention'] as const) : KINDS;
    this.#runner = new JobRunner({ ...parts, kinds, work: (context) => this.#work(context) });
  }

  start(): void {
    const { rules, jobs, clock, telemetry } = this.#parts;
    this.#runner.start();
    if (!hasRules(rules)) return;
    const job = this.#newJob(RETENTION_JOB, { kind: 'retention', dryRun: false }, clock.now());
    jobs.add(job).catch((error: unknown) => {
      telemetry.log('warn', 'the retention job could not be stored; the next start tries again', { error });
    });
  }

  stop(): Promise<void> {
    return this.#runner.stop();
  }

  get figures(): DataJobFigures {
    return { isBusy: this.#runner.isBusy, retentionFinishedAt: this.#retentionFinishedAt };
  }

  /** Begins an erasure, on this server or another one. Resolves to the job. */
  eraseUser(userId: UserId, mode: ErasureMode, dryRun: boolean): Promise<JobReport> {
    return this.#begin({ kind: 'erasure', userId, mode, dryRun });
  }

  /** Begins a run that counts what retention would remove and changes nothing. */
  async tryRetention(days: number | null, fileDays: number | null): Promise<JobReport> {
    const { rules } = this.#parts;
    const tried = { days: days ?? rules.days, fileDays: fileDays ?? rules.fileDays };
    if (!hasRules(tried)) {
      throw new Refusal('bad-input', 'days and file-days are missing, and no RETENTION_DAYS is set');
    }
    return this.#begin({ kind: 'retention-dry-run', dryRun: true, ...tried });
  }

  async job(id: string): Promise<JobReport | null> {
    const job = await this.#parts.jobs.get(id);
    return job === null ? null : this.#report(job);
  }

  async jobs(): Promise<readonly JobReport[]> {
    return (await this.#parts.jobs.list()).map((job) => this.#report(job));
  }

  exportUser(userId: UserId): AsyncGenerator<ExportLine, void, void> {
    const { data, store, restrictions, clock } = this.#parts;
    return exportUser({ data, store, restrictions, now: () => clock.now() }, userId);
  }

  #report(job: Job): JobReport {
    return { ...job, copies: this.#parts.rules.copies ?? [] };
  }

  async #begin(task: JobTask): Promise<JobReport> {
    const { ids, jobs, clock } = this.#parts;
    const job = this.#newJob(ids.messageId(), task, clock.now());
    await jobs.add(job);
    this.#runner.look();
    return this.#report(job);
  }

  #newJob(id: string, task: JobTask, now: number): Job {
    return {
      id,
      task,
      state: 'waiting',
      cursor: null,
      counts: {},
      error: null,
      createdAt: now,
      finishedAt: null,
      dueAt: now,
    };
  }

  async #work(context: JobContext): Promise<Job> {
    const { telemetry } = this.#parts;
    const { task } = context.job;
    switch (task.kind) {
      case 'erasure':
        return this.#erase.run(context);
      case 'retention-dry-run':
        return this.#expire.run(context);
      case 'retention': {
        const done = await this.#expire.run(context);
        this.#retentionFinishedAt = done.finishedAt ?? 0;
        telemetry.count('retention_removed', done.counts.messages ?? 0);
        return done;
      }
    }
  }
}

function hasRules({ days, fileDays }: RetentionRules): boolean {
  return days !== null || fileDays !== null;
}
