import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobStore } from '../../src/application/ports/job-store.ts';

export interface JobWorld {
  readonly jobs: JobStore;
  close(): Promise<void>;
}

const NOW = 1_800_000_000_000;
const LEASE_MS = 60_000;
const KINDS = ['erasure'] as const;

/** The contract of `JobStore`. */
export function jobStoreContract(name: string, makeWorld: () => Promise<JobWorld>): void {
  describe(`${name}: jobs`, () => {
    const worlds: JobWorld[] = [];
    let jobs: JobStore;
    beforeEach(async () => {
      const world = await makeWorld();
      worlds.push(world);
      jobs = world.jobs;
    });
    afterAll(async () => {
      for (const world of worlds) await world.close();
    });

    const newJob = (more: Partial<Job> = {}): Job => ({
      id: randomBytes(6).toString('hex'),
      task: { kind: 'erasure', userId: 7, mode: 'erase', dryRun: false },
      state: 'waiting',
      cursor: null,
      counts: {},
      error: null,
      createdAt: NOW,
      finishedAt: null,
      dueAt: NOW,
      ...more,
    });

    it('gives a job that is due to one server at a time', async () => {
      const job = newJob();
      await jobs.add(job);
      expect(await jobs.claim('a', KINDS, NOW - 1, LEASE_MS)).toBeNull();
      expect(await jobs.claim('a', ['retention'], NOW, LEASE_MS)).toBeNull();
      const taken = await Promise.all(['a', 'b', 'c'].map((server) => jobs.claim(server, KINDS, NOW, LEASE_MS)));
      expect(taken.filter((one) => one !== null)).toEqual([{ ...job, state: 'running' }]);
      expect(await jobs.claim('d', KINDS, NOW, LEASE_MS)).toBeNull();
    });

    it('gives a job to another server after its lease, and tells the first one', async () => {
      const job = newJob();
      await jobs.add(job);
      await jobs.claim('a', KINDS, NOW, LEASE_MS);
      const progress: Job = { ...job, state: 'running', cursor: 'r-5', counts: { messages: 3 } };
      expect(await jobs.save('a', progress, -1)).toBe(true);
      expect(await jobs.claim('b', KINDS, NOW, LEASE_MS)).toEqual(progress);
      expect(await jobs.save('a', { ...progress, cursor: 'r-9' }, LEASE_MS)).toBe(false);
      expect(await jobs.get(job.id)).toEqual(progress);
    });

    it('keeps a finished job, and a job with the same id is not added again', async () => {
      const job = newJob({ createdAt: NOW - 5 });
      await jobs.add(job);
      await jobs.claim('a', KINDS, NOW, LEASE_MS);
      const done: Job = { ...job, state: 'done', finishedAt: NOW, error: '$none', counts: { left: 0 } };
      expect(await jobs.save('a', done, LEASE_MS)).toBe(true);
      await jobs.add(newJob({ id: job.id }));
      const newer = newJob({ dueAt: NOW + 1 });
      await jobs.add(newer);
      expect(await jobs.list()).toEqual([newer, done]);
      expect(await jobs.claim('b', KINDS, NOW, LEASE_MS)).toBeNull();
      expect(await jobs.get('none')).toBeNull();
    });
  });
}
