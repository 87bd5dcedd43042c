import { Refusal } from '../../../../domain/errors.ts';
import { wireTime } from '../../../support/wire-time.ts';
import { type HttpDeps, linkBase } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import { queryText } from '../../query.ts';
import type { ServiceHandler } from '../guard.ts';
import { userInPath } from '../params.ts';
import { timeOrNull } from './bans.ts';
import { drained } from './drained.ts';
import { shownJob } from './jobs.ts';

/**
 * Streams everything that is stored of a user as JSON lines, in the pace of the reader. Files are
 * shown by signed links.
 */
export function exportUserRoute(deps: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const userId = userInPath(request);
    call.concerns({ userId });
    const base = linkBase(deps, request);
    const linkOf = (key: string): string => deps.fileLinks.link(key, base);
    const lines = deps.application.service.exportUser(userId);
    // The first line is read before the status is sent, so that a store that is away is a 503.
    for await (const line of lines) {
      if (response.destroyed) return;
      if (!response.headersSent) {
        response.statusCode = 200;
        response.setHeader('content-type', 'application/x-ndjson');
        response.setHeader('cache-control', 'no-store');
      }
      const shown =
        line.type === 'message'
          ? { ...line, message: { ...line.message, time: wireTime(line.message.time) }, files: line.files.map(linkOf) }
          : line.type === 'event'
            ? { ...line, event: { ...line.event, time: wireTime(line.event.time) } }
            : line.type === 'user'
              ? { ...line, time: wireTime(line.time) }
              : line.type === 'ban'
                ? { ...line, ban: withTimes(line.ban) }
                : line.type === 'mute'
                  ? { ...line, mute: withTimes(line.mute) }
                  : line;
      if (!response.write(`${JSON.stringify(shown)}\n`)) await drained(response);
    }
    response.end();
  };
}

function withTimes<T extends { readonly until: number | null; readonly at: number }>(order: T) {
  return { ...order, until: timeOrNull(order.until), at: wireTime(order.at) };
}

/** Begins the erasure of a user. Answers with the job. */
export function eraseUserRoute({ application }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const userId = userInPath(request);
    call.concerns({ userId });
    const mode = queryText(request, 'mode');
    if (mode !== 'anonymise' && mode !== 'erase') {
      throw new Refusal('bad-input', 'mode must be anonymise or erase');
    }
    const dryRun = queryText(request, 'dry-run') ?? 'false';
    if (dryRun !== 'true' && dryRun !== 'false') throw new Refusal('bad-input', 'dry-run must be true or false');
    const job = await application.service.eraseUser(userId, mode, dryRun === 'true');
    call.concerns({ id: job.id });
    sendJson(response, 202, shownJob(job));
  };
}
