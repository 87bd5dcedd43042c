import type { Job } from '../ports/job-store.ts';

/** The part of a job that changes while it runs. */
export type Progress = Pick<Job, 'cursor' | 'counts'>;

/** A job while this server does it. */
export interface JobContext {
  readonly job: Job;
  /**
   * Stores the progress from time to time, and pauses, so that the store has time for its other
   * work. Call it after each small piece of work.
   * @throws JobStopped if the server stops or another one has taken the job
   */
  step(progress: Progress): Promise<void>;
}

/** This server no longer does the job. Another one continues it. */
export class JobStopped extends Error {}

/** Counts what a job does. */
export class Tally {
  readonly #counts: Map<string, number>;

  constructor(counts: Readonly<Record<string, number>>) {
    this.#counts = new Map(Object.entries(counts));
  }

  add(kind: string, count: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  set(kind: string, count: number): void {
    this.#counts.set(kind, count);
  }

  get(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
