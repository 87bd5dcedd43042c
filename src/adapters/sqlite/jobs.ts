import type { DatabaseSync } from 'node:sqlite';
import type { Job, JobKind } from '../../application/ports/job-store.ts';
import type { Row } from './rows.ts';

const MAX_LISTED = 200;

/** Keeps jobs and their leases. Synchronous: for the database thread. */
export class Jobs {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  add(job: Job): void {
    this.#sql.add.run(job.id, job.state, job.dueAt, job.createdAt, JSON.stringify(job));
  }

  list(): Job[] {
    return this.#sql.list.all(MAX_LISTED).map(readJob);
  }

  get(id: string): Job | null {
    const row = this.#sql.get.get(id);
    return row === undefined ? null : readJob(row);
  }

  claim(server: string, kinds: readonly JobKind[], now: number, at: number, leaseMs: number): Job | null {
    const row = this.#sql.due.get(now, at, JSON.stringify(kinds));
    if (row === undefined) return null;
    const job: Job = { ...readJob(row), state: 'running' };
    this.#write(server, job, at + leaseMs);
    return job;
  }

  save(server: string, job: Job, at: number, leaseMs: number): boolean {
    if (this.#sql.owner.get(job.id)?.owner !== server) return false;
    this.#write(job.state === 'running' ? server : null, job, at + leaseMs);
    return true;
  }

  #write(owner: string | null, job: Job, until: number): void {
    this.#sql.write.run(job.state, job.dueAt, owner, until, JSON.stringify(job), job.id);
  }
}

function readJob({ body }: Row): Job {
  return JSON.parse(String(body));
}

function statements(db: DatabaseSync) {
  return {
    add: db.prepare(
      `INSERT INTO job (id, state, due, created, until, body) VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING`,
    ),
    list: db.prepare('SELECT body FROM job ORDER BY created DESC, id LIMIT ?'),
    get: db.prepare('SELECT body FROM job WHERE id = ?'),
    owner: db.prepare('SELECT owner FROM job WHERE id = ?'),
    due: db.prepare(
      `SELECT body FROM job WHERE ((state = 'waiting' AND due <= ?) OR (state = 'running' AND until <= ?))
         AND body -> 'task' ->> 'kind' IN (SELECT value FROM json_each(?))
       ORDER BY due, id LIMIT 1`,
    ),
    write: db.prepare('UPDATE job SET state = ?, due = ?, owner = ?, until = ?, body = ? WHERE id = ?'),
  };
}
