import type { UserId } from '../../domain/ids.ts';

/** `anonymise` keeps texts under the name `deleted user`; `erase` deletes the messages. */
export type ErasureMode = 'anonymise' | 'erase';

/** The work of a job. */
export type JobTask =
  | { readonly kind: 'retention'; readonly dryRun: false }
  /** Counts what retention would remove after so many days; null: kept for ever. */
  | {
      readonly kind: 'retention-dry-run';
      readonly dryRun: true;
      readonly days: number | null;
      readonly fileDays: number | null;
    }
  | {
      readonly kind: 'erasure';
      /** Null after the job is done, so that the job itself does not name the user. */
      readonly userId: UserId | null;
      readonly mode: ErasureMode;
      readonly dryRun: boolean;
    };

export type JobKind = JobTask['kind'];

/** Work that goes on over restarts. One server does it at a time. */
export interface Job {
  readonly id: string;
  readonly task: JobTask;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Where a server that takes over continues; null: at the start. */
  readonly cursor: string | null;
  /** What was done so far, by kind. In a dry run: what would be done. */
  readonly counts: Readonly<Record<string, number>>;
  /** The last error. A job that waits is tried again. */
  readonly error: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** End of the last complete run, in milliseconds since 1970; null before. */
  readonly finishedAt: number | null;
  /** A job that waits begins at this time, in milliseconds since 1970. */
  readonly dueAt: number;
}

/**
 * Keeps jobs, and gives each to one server at a time by a lease.
 *
 * The end of a lease is judged by the store's clock. If that clock jumps, two servers may hold a
 * job for a short time; the work of jobs can be repeated without harm. A server whose lease was
 * taken over notices it by `save`.
 *
 * All methods reject with `Refusal`: `try-again`, `store-failed`.
 */
export interface JobStore {
  /** Adds a job. Does nothing if one with the same id exists. */
  add(job: Job): Promise<void>;
  /** Newest first, at most 200. */
  list(): Promise<readonly Job[]>;
  get(id: string): Promise<Job | null>;
  /**
   * Takes a job of these kinds that waits and is due, or runs under a lease that has ended. Null if
   * there is none. The job is then `running`.
   */
  claim(server: string, kinds: readonly JobKind[], now: number, leaseMs: number): Promise<Job | null>;
  /**
   * Stores the progress and renews the lease. A job that is no longer `running` has no lease.
   * Resolves to false, and stores nothing, if another server has taken the job.
   */
  save(server: string, job: Job, leaseMs: number): Promise<boolean>;
}
