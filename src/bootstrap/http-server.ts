import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { DependencyContainer } from 'tsyringe';
import { createHttpApp } from '../adapters/http/app.ts';
import type { HttpOptions } from '../adapters/http/deps.ts';
import { HttpMetrics } from '../adapters/http/http-metrics.ts';
import { limitConnections } from '../adapters/http/limit-connections.ts';
import { loggedOriginRule, type OriginRule, originRule } from '../adapters/http/origins.ts';
import { createHttpServer } from '../adapters/http/server.ts';
import { adminRule } from '../adapters/http/service/admin-rule.ts';
import { serviceRule } from '../adapters/http/service-auth.ts';
import { StickySessions } from '../adapters/sockjs/sticky-sessions.ts';
import { createStompEndpoint } from '../adapters/stomp/endpoint.ts';
import { LoggedAudit } from '../adapters/system/audit-log.ts';
import { SystemClock } from '../adapters/system/clock.ts';
import { parseNetworks } from '../adapters/transport/networks.ts';
import { RequestClients } from '../adapters/transport/request-clients.ts';
import type { Health } from '../application/server-health.ts';
import type { Config } from './config/config.ts';
import { createDemo } from './demo/demo.ts';
import { healthPage, readHealthMetrics } from './health-page.ts';
import { maxOpenFiles } from './max-open-files.ts';
import { readApplicationMetrics } from './part-metrics.ts';
import type { ServerParts } from './resources.ts';
import { startFailure, startStep } from './start-failure.ts';
import { readStompMetrics } from './stomp-metrics.ts';
import { baseUrlOf, mountStomp, PREFIX } from './stomp-mount.ts';
import { TOKENS, type Token } from './tokens.ts';
import { takePort } from './waiting-room.ts';
import { sharedMetrics } from './workers.ts';

/** WebSocket close code: the server restarts, so the client should connect again. */
const SERVICE_RESTART = 1012;
/**
 * Milliseconds in which accepted commands are stored and receipted before their connection is
 * closed.
 */
const SETTLE_MS = 2_500;
/** Milliseconds that requests under way have to end, and that clients have to answer a close. */
const LAST_REQUESTS_MS = 3_000;
/** Connections that wait to be accepted. */
const LISTEN_BACKLOG = 4_096;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves HTTP and STOMP on one port. Resolves when the port listens. @throws StartFailure */
export async function serveHttp(parts: ServerParts, container: DependencyContainer): Promise<Server> {
  const { config, telemetry, lifecycle, worker } = parts;
  const get = <T>(token: Token<T>): T => container.resolve(token);
  const clients = new RequestClients(parseNetworks(config.http.trustedProxies));
  const allowOrigin = loggedOriginRule(originRule(config.http.allowedOrigins.join(','), config.http.publicUrl), {
    telemetry: telemetry.of('http'),
    clock: get(TOKENS.clock),
  });
  const health = healthPage(parts, get(TOKENS.application));
  const options = httpOptions(parts, get, { clients, allowOrigin, health });
  if (config.internal !== null) await serveInternal(config.internal, options, parts);
  const app = createHttpApp(options, config.internal === null ? 'whole' : 'public');
  const stomp = createStompEndpoint({
    application: get(TOKENS.application),
    subscribers: get(TOKENS.subscribers),
    limits: config.limits,
    telemetry: telemetry.of('stomp'),
    ids: get(TOKENS.ids),
    baseUrl: (connection) => config.http.publicUrl ?? baseUrlOf(connection),
  });
  get(TOKENS.serverState).readFrom({ health, counts: stomp.counts });
  readStompMetrics(telemetry.metrics, stomp);
  const sockJs = mountStomp({ limits: config.limits, stomp, clients, allowOrigin, telemetry });
  const handle: Handle = (request, response) => {
    if (!sockJs.handleRequest(request, response)) app(request, response);
  };
  const siblings = worker === null ? null : await joinSiblings(parts, worker, clients, handle);
  const server = createHttpServer({
    handle(request, response) {
      if (siblings === null || !siblings.pass(request, response, clients.of(request))) handle(request, response);
    },
    upgrades: { accepts: sockJs.acceptsUpgrade, handle: sockJs.handleUpgrade },
    clients,
    allowOrigin,
    telemetry: telemetry.of('http'),
    clock: get(TOKENS.clock),
  });
  const maxFiles = maxOpenFiles();
  if (maxFiles !== null) {
    limitConnections(server, { maxFiles, telemetry: telemetry.of('http'), clock: get(TOKENS.clock) });
  }
  if (worker !== null) await takePort(server);
  await listen(server, config.listen, { host: 'HOST', port: 'PORT' });
  const overMs = config.server.drainSeconds * 1_000;
  lifecycle.onStop(
    'clients',
    async () => {
      const [code, reason] = [SERVICE_RESTART, 'the server is stopping'];
      const closePort = () => new Promise<void>((resolve) => server.close(() => resolve()));
      // Sessions over HTTP need the port until they are closed. So does the health page.
      const closed = overMs === 0 ? closePort() : null;
      await stomp.drain({ code, reason, overMs, withinMs: SETTLE_MS });
      sockJs.close(code, reason);
      const ended = closed ?? closePort();
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MS);
      await ended.finally(() => clearTimeout(late));
    },
    overMs,
  );
  return server;
}

interface HttpParts {
  readonly clients: RequestClients;
  readonly allowOrigin: OriginRule;
  readonly health: () => Health;
}

function httpOptions(
  parts: ServerParts,
  get: <T>(token: Token<T>) => T,
  { clients, allowOrigin, health }: HttpParts,
): HttpOptions {
  const { config, secrets, telemetry } = parts;
  const application = get(TOKENS.application);
  readHealthMetrics(telemetry.metrics, health, parts);
  const metrics = new HttpMetrics();
  telemetry.metrics.read('chat_http_request_seconds', () => metrics.requests.samples());
  telemetry.metrics.read('chat_http_refusals_total', () => metrics.refusals.samples());
  readApplicationMetrics(telemetry.metrics, () => application.figures());
  const shown = () => {
    const { degraded, ...rest } = health();
    return { ...rest, degraded: degraded.map(({ part, reason }) => `${part}: ${reason}`) };
  };
  return {
    application,
    fileLinks: get(TOKENS.fileLinks),
    telemetry: telemetry.of('http'),
    clock: get(TOKENS.clock),
    clients,
    allowOrigin,
    isService: serviceRule(secrets.serviceToken, parseNetworks(config.http.serviceNetworks)),
    admins: adminRule(secrets.adminTokens),
    hasAdmins: secrets.adminTokens.length > 0,
    adminPageActions: config.http.adminPageActions,
    audit: new LoggedAudit(telemetry.logger),
    publicUrl: config.http.publicUrl,
    limits: config.limits,
    demo: config.demo ? createDemo(get(TOKENS.issuer), get(TOKENS.world)) : null,
    metrics,
    exposition: {
      contentType: telemetry.registry.contentType,
      text: sharedMetrics(telemetry.registry) ?? (() => telemetry.registry.metrics()),
    },
    health: shown,
    spans: get(TOKENS.spans),
  };
}

/** Serves the calls for operators on a port of their own, until everything else has stopped. */
async function serveInternal(
  address: NonNullable<Config['internal']>,
  options: HttpOptions,
  { telemetry, lifecycle }: ServerParts,
): Promise<void> {
  const { clients, allowOrigin } = options;
  const server = createHttpServer({
    handle: createHttpApp(options, 'internal'),
    upgrades: null,
    clients,
    allowOrigin,
    telemetry: telemetry.of('http'),
    clock: new SystemClock(),
  });
  await listen(server, address, { host: 'INTERNAL_HOST', port: 'INTERNAL_PORT' });
  lifecycle.onStop('internal port', async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
}

/** Shares SockJS sessions with the other workers behind this port. */
async function joinSiblings(
  { config, lifecycle }: ServerParts,
  worker: number,
  clients: RequestClients,
  handle: Handle,
): Promise<StickySessions> {
  const { workers } = config.listen;
  const siblings = new StickySessions({ prefix: PREFIX, worker, workers, folder: config.server.dataDir });
  await startStep({ variable: 'DATA_DIR' }, () =>
    siblings.listen((request, response, client) => {
      if (client !== null) clients.report(request, client);
      handle(request, response);
    }),
  );
  lifecycle.onStop('siblings', () => siblings.close());
  return siblings;
}

/** The errors of `listen` that are about the address, not about the port. */
const HOST_ERRORS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);

/** @param variables the names of the variables that give the address */
function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  variables: { readonly host: string; readonly port: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(startFailure({ variable: HOST_ERRORS.has(error.code ?? '') ? variables.host : variables.port }, error));
    };
    server.once('error', fail);
    server.listen(port, host, LISTEN_BACKLOG, () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
}
