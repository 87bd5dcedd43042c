import type { Request } from 'express';
import type { JobReport } from '../../../../application/retention/data-jobs.ts';
import { Refusal } from '../../../../domain/errors.ts';
import { wireTime } from '../../../support/wire-time.ts';
import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import { queryCount } from '../../query.ts';
import { sendNotFound } from '../answers.ts';
import type { ServiceHandler } from '../guard.ts';

/** A job as the service API shows it. */
export function shownJob({ createdAt, finishedAt, dueAt, cursor: _, ...job }: JobReport) {
  return {
    ...job,
    created: wireTime(createdAt),
    finished: finishedAt === null ? null : wireTime(finishedAt),
    // When a job that waits begins.
    next: job.state === 'waiting' ? wireTime(dueAt) : null,
  };
}

/** Answers the newest jobs of all servers. */
export function jobsRoute({ application }: HttpDeps): ServiceHandler {
  return async (_call, _request, response) => {
    const jobs = await application.service.jobs();
    sendJson(response, 200, { jobs: jobs.map(shownJob) });
  };
}

/** Answers the state of a job. */
export function jobRoute({ application }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const id = String(request.params.id);
    call.concerns({ id });
    const job = await application.service.job(id);
    if (job === null) sendNotFound(response, `there is no job ${id.slice(0, 100)}`);
    else sendJson(response, 200, shownJob(job));
  };
}

/** Begins a run that counts what retention would remove. Answers with the job. */
export function tryRetentionRoute({ application }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const [days, fileDays] = [daysInQuery(request, 'days'), daysInQuery(request, 'file-days')];
    const job = await application.service.tryRetention(days, fileDays);
    call.concerns({ id: job.id });
    sendJson(response, 202, shownJob(job));
  };
}

const MAX_DAYS = 36_500;

function daysInQuery(request: Request, name: string): number | null {
  const days = queryCount(request, name);
  if (days !== null && (days < 1 || days > MAX_DAYS)) {
    throw new Refusal('bad-input', `${name} must be from 1 to ${MAX_DAYS}`);
  }
  return days;
}
