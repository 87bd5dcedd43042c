import { wireTime } from '../../../support/wire-time.ts';
import { parseBody } from '../../bodies.ts';
import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import { readUsualJsonBody } from '../../json-body.ts';
import { banBody, disconnectBody } from '../bodies.ts';
import type { ServiceHandler } from '../guard.ts';
import { userInPath } from '../params.ts';

/** Ends the sessions of a user on all servers. Answers `{"sessions":2}`. */
export function disconnectRoute({ application, limits }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const { userId } = parseBody(disconnectBody, await readUsualJsonBody(request, limits));
    call.concerns({ userId });
    sendJson(response, 200, { sessions: await application.service.disconnect(call.admin, userId) });
  };
}

/** Bans a user until a time or for ever. Answers the ban. */
export function banRoute({ application, limits }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const userId = userInPath(request);
    call.concerns({ userId });
    const { until, reason } = parseBody(banBody, await readUsualJsonBody(request, limits));
    await application.service.ban(call.admin, { userId, until, reason });
    sendJson(response, 200, { userId, until: timeOrNull(until), reason });
  };
}

/** Lifts a ban. Answers the same whether there was one or not. */
export function unbanRoute({ application }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const userId = userInPath(request);
    call.concerns({ userId });
    await application.service.unban(call.admin, userId);
    sendJson(response, 200, { userId });
  };
}

export function bansRoute({ application }: HttpDeps): ServiceHandler {
  return (_call, _request, response) => {
    const bans = application.service.bans();
    const shown = bans.map(({ userId, until, reason, admin, at }) => {
      return { userId, until: timeOrNull(until), reason, admin, at: wireTime(at) };
    });
    sendJson(response, 200, shown);
  };
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : wireTime(ms);
}
