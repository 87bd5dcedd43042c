import { wireTime } from '../../../support/wire-time.ts';
import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import type { ServiceHandler } from '../guard.ts';
import { placeInPath, sizeInQuery, userInPath } from '../params.ts';

/** Lists a user's sessions on all servers: `{"sessions":[...],"missing":[]}`. */
export function userSessionsRoute({ application }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const userId = userInPath(request);
    call.concerns({ userId });
    const { seen, missing } = await application.service.sessions(userId);
    sendJson(response, 200, { sessions: seen.map(withTime), missing });
  };
}

/** Lists who is in a place: `{"subscribed":[1,2],"looking":[2],"leftOut":0,"missing":[]}`. */
export function placePresenceRoute({ application }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const place = placeInPath(request);
    call.concerns({ place });
    const { seen, missing } = await application.service.presence(place);
    const { subscribed, looking, leftOut } = seen;
    sendJson(response, 200, { subscribed, looking, leftOut, missing });
  };
}

/** Lists the live servers with their state: `{"servers":[...],"missing":[]}`. */
export function serversRoute({ application }: HttpDeps): ServiceHandler {
  return async (_call, _request, response) => {
    const { seen, missing } = await application.service.servers();
    sendJson(response, 200, { servers: seen.map(withTime), missing });
  };
}

/** Lists the places with the most deliveries: `{"places":[...],"missing":[]}`. */
export function busiestPlacesRoute({ application }: HttpDeps): ServiceHandler {
  return async (_call, request, response) => {
    const { seen, missing } = await application.service.busiest(sizeInQuery(request));
    const places = seen.map(({ place, eventsPerSecond, deliveriesPerSecond, subscriptions }) => ({
      place,
      eventsPerSecond: rounded(eventsPerSecond),
      deliveriesPerSecond: rounded(deliveriesPerSecond),
      subscriptions,
    }));
    sendJson(response, 200, { places, missing });
  };
}

/** Lists the sessions with the most waiting bytes: `{"clients":[...],"leftOut":0,"missing":[]}`. */
export function slowClientsRoute({ application }: HttpDeps): ServiceHandler {
  return async (_call, request, response) => {
    const { seen, missing } = await application.service.slowClients(sizeInQuery(request));
    sendJson(response, 200, { clients: seen.clients.map(withTime), leftOut: seen.leftOut, missing });
  };
}

/** With one digit after the point. */
function rounded(perSecond: number): number {
  return Math.round(perSecond * 10) / 10;
}

function withTime<T extends { readonly since: number }>(shown: T): Omit<T, 'since'> & { readonly since: string } {
  return { ...shown, since: wireTime(shown.since) };
}
