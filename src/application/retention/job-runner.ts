import type { Clock, Timer } from '../ports/clock.ts';
import type { Job, JobKind, JobStore } from '../ports/job-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type JobContext, JobStopped, type Progress } from './job-context.ts';

/** Interval at which a server looks for jobs, in milliseconds. */
export const LOOK_MS = 10_000;
/** A job of a server that died goes on after this time, in milliseconds. */
export const LEASE_MS = 30_000;
/** Progress is stored this often, in milliseconds. */
const SAVE_MS = 2_000;
/** Pause after each piece of work, in milliseconds. */
const PAUSE_MS = 20;
/** Wait before a job that failed is tried again, in milliseconds. */
const RETRY_MS = 30_000;

export interface JobRunnerParts {
  readonly server: string;
  readonly jobs: JobStore;
  /** The kinds of jobs that this server can do. */
  readonly kinds: readonly JobKind[];
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Does the job from its cursor to its end. Resolves to the job's last state. */
  readonly work: (context: JobContext) => Promise<Job>;
}

/**
 * Does the jobs, one at a time, each on one server by a lease. A job that fails is tried again from
 * its last stored progress, until it succeeds.
 */
export class JobRunner {
  readonly #parts: JobRunnerParts;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  #isStopped = false;
  #pause: { readonly timer: Timer; readonly end: () => void } | null = null;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  /** True while this server does a job. */
  get isBusy(): boolean {
    return this.#running !== null;
  }

  start(): void {
    this.#schedule();
  }

  /** Looks for jobs now. */
  look(): void {
    if (this.#isStopped || this.#running !== null) return;
    this.#timer?.cancel();
    this.#running = this.#runAll().finally(() => {
      this.#running = null;
      this.#schedule();
    });
  }

  /** Resolves when the current piece of work is done. Another server continues the job. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#pause?.timer.cancel();
    this.#pause?.end();
    await this.#running;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(LOOK_MS, () => this.look());
  }

  async #runAll(): Promise<void> {
    const { jobs, server, kinds, clock, telemetry } = this.#parts;
    try {
      while (!this.#isStopped) {
        const job = await jobs.claim(server, kinds, clock.now(), LEASE_MS);
        if (job === null) return;
        await this.#run(job);
      }
    } catch (error) {
      telemetry.log('debug', 'jobs could not be read', { error });
    }
  }

  async #run(job: Job): Promise<void> {
    const { jobs, server, clock, telemetry, work } = this.#parts;
    const { kind } = job.task;
    telemetry.log('info', 'a job begins', { job: job.id, kind });
    let latest = job;
    let savedAt = clock.monotonic();
    const step = async (progress: Progress): Promise<void> => {
      latest = { ...latest, ...progress };
      if (this.#isStopped) throw new JobStopped('the server stops');
      if (clock.monotonic() - savedAt >= SAVE_MS) {
        savedAt = clock.monotonic();
        if (!(await jobs.save(server, latest, LEASE_MS))) throw new JobStopped('another server has the job');
      }
      await this.#rest();
    };
    try {
      latest = await work({ job, step });
      await jobs.save(server, latest, LEASE_MS);
      telemetry.log('info', 'a job is done', { job: job.id, kind, ...latest.counts });
    } catch (error) {
      const isStopped = error instanceof JobStopped;
      if (!isStopped) telemetry.log('warn', 'a job failed and will be tried again', { job: job.id, kind, error });
      const text = error instanceof Error ? error.message : String(error);
      const dueAt = clock.now() + (isStopped ? 0 : RETRY_MS);
      const waiting: Job = { ...latest, state: 'waiting', dueAt, error: isStopped ? latest.error : text };
      // If this fails too, the lease ends and the job is taken from its last stored progress.
      await jobs.save(server, waiting, LEASE_MS).catch(() => false);
    }
  }

  #rest(): Promise<void> {
    return new Promise((end) => {
      this.#pause = { timer: this.#parts.clock.after(PAUSE_MS, end), end };
    });
  }
}
