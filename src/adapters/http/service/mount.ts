import type { Express, Request, Response } from 'express';
import type { HttpDeps } from '../deps.ts';
import type { HttpMetrics } from '../http-metrics.ts';
import { noSuchCall } from '../refuse.ts';
import { sendServiceRefusal } from './answers.ts';
import { AuditedCalls } from './audited-calls.ts';
import { SERVICE_ENDPOINTS, SERVICE_PREFIX, type ServiceEndpoint, type ServiceEndpointName } from './endpoints.ts';
import { type ServiceHandler, serviceGuard } from './guard.ts';
import { banRoute, bansRoute, disconnectRoute, unbanRoute } from './routes/bans.ts';
import {
  busiestPlacesRoute,
  placePresenceRoute,
  serversRoute,
  slowClientsRoute,
  userSessionsRoute,
} from './routes/cluster.ts';
import { jobRoute, jobsRoute, tryRetentionRoute } from './routes/jobs.ts';
import { meRoute } from './routes/me.ts';
import { deleteMessageRoute, sendMessageRoute } from './routes/messages.ts';
import { muteRoute, mutesRoute, unmuteRoute } from './routes/mutes.ts';
import { eraseUserRoute, exportUserRoute } from './routes/personal-data.ts';
import { slowModeRoute, slowModesRoute } from './routes/slow-mode.ts';
import { beginTraceRoute, readTraceRoute } from './routes/traces.ts';

/** Adds the service API to an express application. */
export function mountService(app: Express, deps: HttpDeps, metrics: HttpMetrics): void {
  const handlers = handlersOf(deps);
  const audit = new AuditedCalls(deps.audit, deps.clock);
  for (const name of Object.keys(SERVICE_ENDPOINTS) as ServiceEndpointName[]) {
    const { method, path }: ServiceEndpoint = SERVICE_ENDPOINTS[name];
    app[method](path, serviceGuard({ ...deps, audit }, name, handlers[name], metrics));
  }
  app.use(SERVICE_PREFIX, (request: Request, response: Response) => {
    sendServiceRefusal(request, response, noSuchCall(request), 404);
  });
}

/** A handler for each call of the table. */
function handlersOf(deps: HttpDeps): Readonly<Record<ServiceEndpointName, ServiceHandler>> {
  return {
    me: meRoute(deps),
    sendMessage: sendMessageRoute(deps),
    deleteMessage: deleteMessageRoute(deps),
    disconnect: disconnectRoute(deps),
    banUser: banRoute(deps),
    unbanUser: unbanRoute(deps),
    bans: bansRoute(deps),
    muteUser: muteRoute(deps),
    unmuteUser: unmuteRoute(deps),
    mutes: mutesRoute(deps),
    slowMode: slowModeRoute(deps),
    slowModes: slowModesRoute(deps),
    placePresence: placePresenceRoute(deps),
    userSessions: userSessionsRoute(deps),
    servers: serversRoute(deps),
    busiestPlaces: busiestPlacesRoute(deps),
    slowClients: slowClientsRoute(deps),
    beginTrace: beginTraceRoute(deps),
    readTrace: readTraceRoute(deps),
    exportUser: exportUserRoute(deps),
    eraseUser: eraseUserRoute(deps),
    tryRetention: tryRetentionRoute(deps),
    jobs: jobsRoute(deps),
    job: jobRoute(deps),
  };
}
