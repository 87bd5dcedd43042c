import type { Collection, Document, Filter } from 'mongodb';
import type { Job, JobKind, JobStore } from '../../application/ports/job-store.ts';
import { answered, type MongoDatabase } from './database.ts';
import type { JobDocument } from './documents.ts';

const MAX_LISTED = 200;

/** Jobs in the collection `job`. Leases end by the clock of MongoDB. */
export class MongoJobStore implements JobStore {
  readonly #jobs: Collection<JobDocument>;

  constructor({ db }: { readonly db: MongoDatabase }) {
    this.#jobs = db.jobs;
  }

  async add({ id, ...job }: Job): Promise<void> {
    await answered(
      this.#jobs.updateOne(
        { _id: id },
        { $setOnInsert: { ...job, owner: null, until: new Date(0) } },
        { upsert: true },
      ),
    );
  }

  async list(): Promise<readonly Job[]> {
    const found = this.#jobs.find().sort({ createdAt: -1, _id: 1 }).limit(MAX_LISTED).toArray();
    return (await answered(found)).map(readJob);
  }

  async get(id: string): Promise<Job | null> {
    const doc = await answered(this.#jobs.findOne({ _id: id }));
    return doc === null ? null : readJob(doc);
  }

  async claim(server: string, kinds: readonly JobKind[], now: number, leaseMs: number): Promise<Job | null> {
    const due: Filter<JobDocument> = {
      'task.kind': { $in: [...kinds] },
      $or: [
        { state: 'waiting', dueAt: { $lte: now } },
        { state: 'running', $expr: { $lte: ['$until', '$$NOW'] } },
      ],
    };
    const options = { sort: { dueAt: 1, _id: 1 }, returnDocument: 'after' } as const;
    const taken = { state: 'running', owner: server, until: leaseEnd(leaseMs) };
    const doc = await answered(this.#jobs.findOneAndUpdate(due, [{ $set: taken }], options));
    return doc === null ? null : readJob(doc);
  }

  async save(server: string, { id, ...job }: Job, leaseMs: number): Promise<boolean> {
    const owner = job.state === 'running' ? server : null;
    // `$literal`, so that no text of the job is read as a field.
    const fields = { ...literal(job), owner, until: leaseEnd(leaseMs) };
    const result = await answered(this.#jobs.updateOne({ _id: id, owner: server }, [{ $set: fields }]));
    return result.matchedCount > 0;
  }
}

function leaseEnd(leaseMs: number): Document {
  return { $add: ['$$NOW', leaseMs] };
}

function literal(fields: object): Document {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { $literal: value }]));
}

function readJob({ _id, owner: _, until: __, ...job }: JobDocument): Job {
  return { id: _id, ...job };
}
