import { wireTime } from '../../../support/wire-time.ts';
import { parseBody } from '../../bodies.ts';
import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import { readUsualJsonBody } from '../../json-body.ts';
import { muteBody } from '../bodies.ts';
import type { ServiceHandler } from '../guard.ts';
import { conversationInQuery, userInPath } from '../params.ts';
import { timeOrNull } from './bans.ts';

/** Mutes a user in a place or everywhere, until a time or for ever. Answers the mute. */
export function muteRoute({ application, limits }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const userId = userInPath(request);
    call.concerns({ userId });
    const { place, until } = parseBody(muteBody, await readUsualJsonBody(request, limits));
    if (place !== null) call.concerns({ place });
    await application.service.mute(call.admin, { userId, place, until });
    sendJson(response, 200, { userId, place, until: timeOrNull(until) });
  };
}

/** Lifts the mute in the place of the query; without one, the mute everywhere. */
export function unmuteRoute({ application }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const userId = userInPath(request);
    call.concerns({ userId });
    const place = conversationInQuery(request);
    if (place !== null) call.concerns({ place });
    await application.service.unmute(call.admin, { userId, place });
    sendJson(response, 200, { userId, place });
  };
}

export function mutesRoute({ application }: HttpDeps): ServiceHandler {
  return (_call, _request, response) => {
    const mutes = application.service.mutes();
    const shown = mutes.map(({ userId, place, until, admin, at }) => {
      return { userId, place, until: timeOrNull(until), admin, at: wireTime(at) };
    });
    sendJson(response, 200, shown);
  };
}
