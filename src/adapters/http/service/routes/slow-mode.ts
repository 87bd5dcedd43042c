import { wireTime } from '../../../support/wire-time.ts';
import { parseBody } from '../../bodies.ts';
import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import { readUsualJsonBody } from '../../json-body.ts';
import { slowModeBody } from '../bodies.ts';
import type { ServiceHandler } from '../guard.ts';
import { conversationInPath } from '../params.ts';

/** Sets how often a user may send in a place; 0 seconds end it. Answers the slow mode. */
export function slowModeRoute({ application, limits }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const place = conversationInPath(request);
    call.concerns({ place });
    const { seconds } = parseBody(slowModeBody, await readUsualJsonBody(request, limits));
    await application.service.slowMode(call.admin, { place, seconds });
    sendJson(response, 200, { place, seconds });
  };
}

export function slowModesRoute({ application }: HttpDeps): ServiceHandler {
  return (_call, _request, response) => {
    const slowModes = application.service.slowModes();
    const shown = slowModes.map(({ place, seconds, admin, at }) => ({ place, seconds, admin, at: wireTime(at) }));
    sendJson(response, 200, shown);
  };
}
