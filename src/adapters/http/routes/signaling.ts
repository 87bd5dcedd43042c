import { callLeftBody, parseBody, voiceLeftBody } from '../bodies.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { jsonOf } from '../json-body.ts';

/** The presence service saw somebody leave (or enter) a voice channel of a community. */
export function voiceLeftRoute(deps: HttpDeps): Handler {
  return async (request, response) => {
    const left = parseBody(voiceLeftBody, await jsonOf(request, deps.limits));
    await deps.application.voiceLeft(left);
    sendSuccess(response);
  };
}

/** The same for a direct call. */
export function callLeftRoute(deps: HttpDeps): Handler {
  return async (request, response) => {
    const { type, channelId, ids } = parseBody(callLeftBody, await jsonOf(request, deps.limits));
    await deps.application.callLeft({ type, roomId: channelId, ids });
    sendSuccess(response);
  };
}
