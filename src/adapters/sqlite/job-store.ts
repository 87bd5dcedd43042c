import type { Job, JobKind, JobStore } from '../../application/ports/job-store.ts';
import type { Database } from './database.ts';

/** Jobs in a SQLite file. Leases end by the clock of this machine. */
export class SqliteJobStore implements JobStore {
  readonly #database: Database;
  readonly #now: () => number;

  constructor({ database, now = Date.now }: { readonly database: Database; readonly now?: () => number }) {
    this.#database = database;
    this.#now = now;
  }

  add(job: Job): Promise<void> {
    return this.#database.call('addJob', job);
  }

  list(): Promise<readonly Job[]> {
    return this.#database.call('listJobs');
  }

  get(id: string): Promise<Job | null> {
    return this.#database.call('getJob', id);
  }

  claim(server: string, kinds: readonly JobKind[], now: number, leaseMs: number): Promise<Job | null> {
    return this.#database.call('claimJob', server, kinds, now, this.#now(), leaseMs);
  }

  save(server: string, job: Job, leaseMs: number): Promise<boolean> {
    return this.#database.call('saveJob', server, job, this.#now(), leaseMs);
  }
}
