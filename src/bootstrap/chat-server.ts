import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openFileStore } from '../adapters/files/create-file-store.ts';
import { createHttpApp } from '../adapters/http/app.ts';
import { hardenServer, serverOptions } from '../adapters/http/harden-server.ts';
import { originRule } from '../adapters/http/origins.ts';
import { serviceRule } from '../adapters/http/service-auth.ts';
import { MemoryBroker } from '../adapters/memory/memory-broker.ts';
import { StickySessions } from '../adapters/sockjs/sticky-sessions.ts';
import { createStompEndpoint } from '../adapters/stomp/endpoint.ts';
import { SystemTelemetry } from '../adapters/system/telemetry.ts';
import { parseNetworks } from '../adapters/transport/networks.ts';
import { RequestClients } from '../adapters/transport/request-clients.ts';
import type { ForeignAdapters } from './adapters.ts';
import type { Config, Secrets } from './config/config.ts';
import { createContainer, type Opened } from './container.ts';
import { createDemo } from './demo.ts';
import { serverIdentity } from './identity.ts';
import { Lifecycle } from './lifecycle.ts';
import { loadOptionalAdapters } from './optional-adapters.ts';
import { tokenSecrets } from './secrets.ts';
import { registerStompMetrics } from './stomp-metrics.ts';
import { baseUrlOf, mountStomp, PREFIX } from './stomp-mount.ts';
import { openStores } from './stores.ts';
import { TOKENS, type Typed } from './tokens.ts';
import { sharedMetrics } from './workers.ts';

export interface ChatServerOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly telemetry?: SystemTelemetry;
  /** The bus of servers that live in one process. */
  readonly broker?: MemoryBroker;
  /** Adapters that are used instead of the configured ones. */
  readonly adapters?: ForeignAdapters;
  /** Number of this worker process from 1, null for a server of one process. */
  readonly worker?: number | null;
}

const GOING_AWAY = 1012;
const STOP_EACH_MS = 8_000;
/** How long a stopping server finishes what it took. */
const FINISH_MS = 6_000;

/** One chat server: everything between its listening socket and the services behind it. */
export class ChatServer {
  readonly id: string;
  readonly telemetry: SystemTelemetry;
  readonly #lifecycle: Lifecycle;
  readonly #server: Server;
  readonly #host: string;

  private constructor(id: string, telemetry: SystemTelemetry, lifecycle: Lifecycle, server: Server, host: string) {
    this.id = id;
    this.telemetry = telemetry;
    this.#lifecycle = lifecycle;
    this.#server = server;
    this.#host = host;
  }

  /** Starts in order: stores, bus, listening last. What was started is stopped again when a later step fails. */
  static async start(options: ChatServerOptions): Promise<ChatServer> {
    const { config, secrets, worker = null, broker, adapters = {} } = options;
    const id = await serverIdentity(config.server, worker);
    const telemetry =
      options.telemetry ??
      SystemTelemetry.create({ level: config.server.logLevel, base: { server: id }, processMetrics: true });
    const lifecycle = new Lifecycle((name, error) => telemetry.log('warn', 'not stopped in order', { name, error }));
    try {
      const server = await launch({ id, config, secrets, telemetry, lifecycle, worker, broker, adapters });
      return new ChatServer(id, telemetry, lifecycle, server, config.listen.host);
    } catch (error) {
      await lifecycle.stop(STOP_EACH_MS);
      throw error;
    }
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `http://${host}:${this.port}`;
  }

  /** Drains: accepts nothing more, tells clients to come back elsewhere, finishes what was taken, leaves. Bounded; idempotent. */
  stop(): Promise<void> {
    return this.#lifecycle.stop(STOP_EACH_MS);
  }
}

interface Launch {
  readonly id: string;
  readonly config: Config;
  readonly secrets: Secrets;
  readonly telemetry: SystemTelemetry;
  readonly lifecycle: Lifecycle;
  readonly worker: number | null;
  readonly broker: MemoryBroker | undefined;
  readonly adapters: ForeignAdapters;
}

async function launch(parts: Launch): Promise<Server> {
  const { id, config, secrets, telemetry, lifecycle, worker, broker, adapters } = parts;
  const keys = await tokenSecrets(secrets.jwt, config.server.dataDir);
  const stores = await openStores(config.store, lifecycle, telemetry.of('store'));
  // The SDK finds its credentials as it always does.
  const s3 = { endpoint: null, region: '', credentials: null, ...config.files };
  const files = await openFileStore(config.files, s3, (error) =>
    telemetry.log('warn', 'the file store failed', { error }),
  );
  lifecycle.onStop('files', () => files.close());
  const opened: Opened = {
    server: id,
    config,
    keys,
    telemetry,
    lifecycle,
    stores,
    files: files.store,
    broker: broker ?? new MemoryBroker(),
    optional: await loadOptionalAdapters(config),
    foreign: adapters,
  };
  const container = createContainer(opened);
  const get = <T>(token: Typed<T>): T => container.resolve(token);
  const application = get(TOKENS.application);
  const bus = get(TOKENS.bus);
  let joined = false;
  // Refused because another server has its id, it must leave that one's groups alone.
  lifecycle.onStop('bus', () => bus.close({ forget: joined }));
  await application.start();
  joined = true;
  lifecycle.onStop('application', () => application.stop(FINISH_MS));

  const clients = new RequestClients(parseNetworks(config.http.trustedProxies));
  const allowOrigin = originRule(config.http.allowedOrigins.join(','));
  const app = createHttpApp({
    application,
    fileLinks: get(TOKENS.fileLinks),
    telemetry: telemetry.of('http'),
    clock: get(TOKENS.clock),
    clients,
    allowOrigin,
    isService: serviceRule(secrets.serviceToken, parseNetworks(config.http.serviceNetworks)),
    publicUrl: config.http.publicUrl,
    limits: config.limits,
    demo: config.demo ? createDemo(get(TOKENS.issuer), get(TOKENS.world)) : null,
    metrics: telemetry.registry,
    allMetrics: sharedMetrics(telemetry.registry),
    health: () => application.readiness(),
  });
  const stomp = createStompEndpoint({
    application,
    subscribers: get(TOKENS.subscribers),
    limits: config.limits,
    telemetry: telemetry.of('stomp'),
    ids: get(TOKENS.ids),
    baseUrl: (connection) => config.http.publicUrl ?? baseUrlOf(connection),
  });
  registerStompMetrics(telemetry.registry, stomp);
  const sockJs = mountStomp({ limits: config.limits, stomp, clients, allowOrigin, telemetry });
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (!sockJs.handleRequest(request, response)) app(request, response);
  };
  const siblings = worker === null ? null : await meetSiblings(config, worker, clients, handle, lifecycle);
  const server = createServer(serverOptions(config.limits), (request, response) => {
    if (siblings === null || !siblings.pass(request, response, clients.of(request))) handle(request, response);
  });
  hardenServer(server, config.limits);
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!sockJs.handleUpgrade(request, socket, head)) socket.destroy();
  });
  await listen(server, config.listen);
  lifecycle.onStop('clients', async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await stomp.drain(GOING_AWAY, 'the server is stopping', SETTLE_MS);
    sockJs.close(GOING_AWAY, 'the server is stopping');
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MS);
    await closed.finally(() => clearTimeout(late));
  });
  return server;
}

/** Commands that were taken have so long to be stored and receipted before their connection is closed. */
const SETTLE_MS = 2_500;
/** Requests under way have so long to end; clients that don't answer a close have it too. */
const LAST_REQUESTS_MS = 3_000;
/** Shares SockJS sessions with the other workers. */
async function meetSiblings(
  config: Config,
  worker: number,
  clients: RequestClients,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  lifecycle: Lifecycle,
): Promise<StickySessions> {
  const { workers } = config.listen;
  const siblings = new StickySessions({ prefix: PREFIX, worker, workers, folder: config.server.dataDir });
  await siblings.listen((request, response, client) => {
    if (client !== null) clients.report(request, client);
    handle(request, response);
  });
  lifecycle.onStop('siblings', () => siblings.close());
  return siblings;
}

function listen(server: Server, { host, port }: Config['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, 4_096, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
