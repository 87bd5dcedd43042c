import { callLeftBody, parseBody, voiceLeftBody } from '../bodies.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { readUsualJsonBody } from '../json-body.ts';

/** The presence service reports that a user left (or entered) a voice channel of a community. */
export function voiceLeftRoute(deps: HttpDeps): Handler {
  return async (request, response) => {
    const left = parseBody(voiceLeftBody, await readUsualJsonBody(request, deps.limits));
    await deps.application.voiceLeft(left);
    sendSuccess(response);
  };
}

/** The presence service reports that a user left (or entered) a direct call. */
export function callLeftRoute(deps: HttpDeps): Handler {
  return async (request, response) => {
    const { type, channelId, ids } = parseBody(callLeftBody, await readUsualJsonBody(request, deps.limits));
    await deps.application.callLeft({ type, roomId: channelId, ids });
    sendSuccess(response);
  };
}
