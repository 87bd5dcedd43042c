import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { Refusal } from '../../domain/errors.ts';
import { communityKey, roomKey } from '../../domain/place.ts';
import { authenticate } from './auth.ts';
import { cors, foreignOrigin, mayUse } from './cors.ts';
import { type ClientHandler, depsOf, type Handler, type HttpDeps, type HttpOptions } from './deps.ts';
import { type Endpoint, type EndpointName, OWN_ENDPOINTS } from './endpoints.ts';
import { sendJsonEarly, wrappedRefusal } from './envelope.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { sendPlain } from './plain.ts';
import { noSuchCall, refuse } from './refuse.ts';
import { adminPageRoute } from './routes/admin-page.ts';
import { demoTokenRoute, pageRoute } from './routes/demo.ts';
import { demoWorldRoute } from './routes/demo-world.ts';
import { fileRoute } from './routes/file.ts';
import { historyRoute } from './routes/history.ts';
import { membersRoute } from './routes/members.ts';
import { messageCountRoute } from './routes/message-count.ts';
import { onlineRoute } from './routes/online.ts';
import { liveRoute, metricsRoute, readyRoute } from './routes/operations.ts';
import { placesRoute } from './routes/places.ts';
import { callLeftRoute, voiceLeftRoute } from './routes/signaling.ts';
import { specificationRoute } from './routes/specification.ts';
import { unreadRoute } from './routes/unread.ts';
import { type UploadsUnderWay, uploadRoute } from './routes/upload.ts';
import { mountService } from './service/mount.ts';

type HandlerOf<E extends Endpoint> = E['who'] extends 'client' ? ClientHandler : Handler;
/** A handler for each entry of the table; null when the call is off. */
type Handlers = { readonly [Name in EndpointName]: HandlerOf<(typeof OWN_ENDPOINTS)[Name]> | null };

/**
 * The calls of a port. `whole`: all of them. With a port of its own for operators, `internal` has
 * health, metrics, the specifications, the service API and the admin page, and `public` has the
 * others, health and the specifications.
 */
export type HttpSide = 'whole' | 'public' | 'internal';

const EVERYWHERE: readonly EndpointName[] = ['live', 'ready', 'openapi', 'asyncapi'];
const ONLY_INTERNAL: readonly EndpointName[] = ['metrics', 'adminPage'];

function isAt(side: HttpSide, name: EndpointName): boolean {
  if (side === 'whole' || EVERYWHERE.includes(name)) return true;
  return ONLY_INTERNAL.includes(name) === (side === 'internal');
}

/**
 * All HTTP calls except those of the STOMP endpoint, as an express application without a server.
 */
export function createHttpApp(options: HttpOptions, side: HttpSide = 'whole'): Express {
  const deps = depsOf(options);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.use(securityHeaders());
  app.use(cors(deps));

  const handlers = handlersOf(deps);
  const { metrics } = deps;
  const add = (name: EndpointName): void => {
    const handler = handlers[name];
    const { method, path }: Endpoint = OWN_ENDPOINTS[name];
    if (handler !== null && isAt(side, name)) app[method](path, guard(deps, OWN_ENDPOINTS[name], handler, metrics));
  };
  for (const name of Object.keys(OWN_ENDPOINTS) as EndpointName[]) if (name !== 'page') add(name);
  if (side !== 'public') mountService(app, deps, metrics);
  app.use('/chat-server', (request: Request, response: Response) => {
    sendJsonEarly(request, response, 404, wrappedRefusal(noSuchCall(request)));
  });
  // The page takes every path, so it comes last.
  add('page');
  app.use((_request: Request, response: Response) => sendPlain(response, 404, 'no page has this address'));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    refuse(deps, metrics, request, response, 'none', false, error);
  });
  return app;
}

function handlersOf(deps: HttpDeps): Handlers {
  const uploads: UploadsUnderWay = new Map();
  return {
    roomHistory: historyRoute(deps, 'room'),
    channelHistory: historyRoute(deps, 'channel'),
    unread: unreadRoute(deps),
    places: placesRoute(deps),
    online: onlineRoute(deps),
    uploadToRoom: uploadRoute(deps, 'room', uploads),
    uploadToChannel: uploadRoute(deps, 'channel', uploads),
    replaceRoomMembers: membersRoute(deps, roomKey),
    replaceCommunityMembers: membersRoute(deps, communityKey),
    messageCount: messageCountRoute(deps),
    voiceLeft: voiceLeftRoute(deps),
    callLeft: callLeftRoute(deps),
    file: fileRoute(deps),
    live: liveRoute(),
    ready: readyRoute(deps),
    metrics: metricsRoute(deps),
    openapi: specificationRoute('openapi'),
    asyncapi: specificationRoute('asyncapi'),
    adminPage: adminPageRoute(deps),
    demoToken: deps.demo === null ? null : demoTokenRoute(deps, deps.demo),
    demoWorld: deps.demo === null ? null : demoWorldRoute(deps.demo),
    page: deps.demo === null ? null : pageRoute(),
  };
}

/** Wraps a handler: checks the caller, answers failures and measures the time. */
function guard(
  deps: HttpDeps,
  { method, path, who }: Endpoint,
  handler: Handler | ClientHandler,
  metrics: HttpMetrics,
): Handler {
  const plain = who === 'anyone' || who === 'link';
  return async (request, response) => {
    metrics.timed(response, method, path);
    try {
      await callIfAllowed(deps, who, handler, request, response);
    } catch (error) {
      refuse(deps, metrics, request, response, path, plain, error);
    }
  };
}

function callIfAllowed(
  deps: HttpDeps,
  who: Endpoint['who'],
  handler: Handler | ClientHandler,
  request: Request,
  response: Response,
): void | Promise<void> {
  switch (who) {
    case 'client': {
      refuseForeignPages(deps, request);
      return (handler as ClientHandler)(authenticate(deps.application, request), request, response);
    }
    case 'service':
      if (!deps.isService(deps.clients.of(request), request.headers)) {
        throw new Refusal('not-permitted', 'only services may make this call (SERVICE_TOKEN, SERVICE_NETWORKS)');
      }
      break;
    case 'demo':
      refuseForeignPages(deps, request);
      break;
    case 'link':
    case 'anyone':
      break;
  }
  return (handler as Handler)(request, response);
}

function refuseForeignPages(deps: HttpDeps, request: Request): void {
  if (!mayUse(deps, request)) throw new Refusal('not-permitted', foreignOrigin(request));
}

function securityHeaders() {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"], 'base-uri': ["'none'"] },
    },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  });
}
