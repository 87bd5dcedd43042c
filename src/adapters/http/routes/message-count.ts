import { compactTime } from '../../support/wire-time.ts';
import { messageCountBody, parseBody } from '../bodies.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendJson } from '../envelope.ts';
import { readUsualJsonBody } from '../json-body.ts';

/**
 * Counts the unread messages of a user's rooms, the room with the newest message first. This answer
 * alone has no envelope.
 */
export function messageCountRoute(deps: HttpDeps): Handler {
  return async (request, response) => {
    const { userId, roomIds } = parseBody(messageCountBody, await readUsualJsonBody(request, deps.limits));
    const counts = await deps.application.countUnread(userId, roomIds);
    const body = counts.map(({ roomId, count, newestTime }) => ({
      roomId,
      count,
      localDateTime: newestTime === null ? null : compactTime(newestTime),
    }));
    sendJson(response, 200, body);
  };
}
