import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openFileStore } from '../adapters/files/create-file-store.ts';
import { createHttpApp } from '../adapters/http/app.ts';
import { clientOf } from '../adapters/http/client-address.ts';
import { hardenServer, serverOptions } from '../adapters/http/harden-server.ts';
import { type Networks, parseNetworks } from '../adapters/http/networks.ts';
import { originRule } from '../adapters/http/origins.ts';
import { serviceRule } from '../adapters/http/service-auth.ts';
import { MemoryBroker } from '../adapters/memory/memory-broker.ts';
import { createSockJs, type SockJs } from '../adapters/sockjs/sock-js.ts';
import { createStompEndpoint, type StompEndpoint } from '../adapters/stomp/endpoint.ts';
import { SUB_PROTOCOLS } from '../adapters/stomp/version.ts';
import { SystemTelemetry } from '../adapters/system/telemetry.ts';
import type { Connection } from '../adapters/transport/connection.ts';
import { AddressLimit } from './address-limit.ts';
import type { Config, Secrets } from './config/config.ts';
import { createContainer, type Opened } from './container.ts';
import { createDemo } from './demo.ts';
import { serverIdentity } from './identity.ts';
import { Lifecycle } from './lifecycle.ts';
import { tokenSecrets } from './secrets.ts';
import { openStores } from './stores.ts';
import { TOKENS, type Typed } from './tokens.ts';

export interface ChatServerOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly telemetry?: SystemTelemetry;
  /** The bus of servers that live in one process. */
  readonly broker?: MemoryBroker;
  /** Number of this worker process from 1, null for a server of one process. */
  readonly worker?: number | null;
}

const PREFIX = '/my-chat';
const GOING_AWAY = 1012;
const STOP_EACH_MS = 8_000;
/** How long a stopping server finishes what it took. */
const FINISH_MS = 6_000;
/** What a frame may grow to inside of WebSocket or SockJS, so that STOMP can still say that it is too large. */
const WIRE_FACTOR = 4;

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
    const { config, secrets, worker = null } = options;
    const id = await serverIdentity(config.server, worker);
    const telemetry =
      options.telemetry ??
      SystemTelemetry.create({ level: config.server.logLevel, base: { server: id }, processMetrics: true });
    const lifecycle = new Lifecycle((name, error) =>
      telemetry.log('warn', 'not stopped in order', { name, reason: String(error) }),
    );
    try {
      const server = await launch({ id, config, secrets, telemetry, lifecycle, broker: options.broker });
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
  readonly broker: MemoryBroker | undefined;
}

async function launch({ id, config, secrets, telemetry, lifecycle, broker }: Launch): Promise<Server> {
  const keys = await tokenSecrets(secrets.jwt, config.server.dataDir);
  const stores = await openStores(config.store, lifecycle);
  const files = await openFileStore(config.files, {
    endpoint: null,
    region: '',
    // The SDK finds them as it always does.
    credentials: null,
    ...config.files,
  });
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
  };
  const container = createContainer(opened);
  const get = <T>(token: Typed<T>): T => container.resolve(token);
  const application = get(TOKENS.application);
  const bus = get(TOKENS.bus);
  lifecycle.onStop('bus', () => bus.close({ forget: true }));
  await application.start();
  lifecycle.onStop('application', () => application.stop(FINISH_MS));

  const trusted = parseNetworks(config.http.trustedProxies);
  const allowOrigin = originRule(config.http.allowedOrigins.join(','));
  const app = createHttpApp({
    application,
    fileLinks: get(TOKENS.fileLinks),
    telemetry: telemetry.of('http'),
    clock: get(TOKENS.clock),
    trustedProxies: trusted,
    allowOrigin,
    isService: serviceRule(secrets.serviceToken, parseNetworks(config.http.serviceNetworks)),
    publicUrl: config.http.publicUrl,
    limits: config.limits,
    demo: config.demo ? createDemo(get(TOKENS.issuer), get(TOKENS.world)) : null,
    metrics: telemetry.registry,
    health: () => application.readiness(),
  });
  const stomp = createStompEndpoint({
    application,
    subscribers: get(TOKENS.subscribers),
    limits: config.limits,
    telemetry: telemetry.of('stomp'),
    ids: get(TOKENS.ids),
    baseUrl: ({ headers }) => config.http.publicUrl ?? headers[BASE] ?? '',
  });
  const sockJs = mountStomp(config, stomp, trusted, allowOrigin, telemetry);
  const server = createServer(serverOptions(config.limits), (request: IncomingMessage, response: ServerResponse) => {
    if (!sockJs.handleRequest(request, response)) app(request, response);
  });
  hardenServer(server, config.limits);
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!sockJs.handleUpgrade(request, socket, head)) socket.destroy();
  });
  await listen(server, config.listen);
  lifecycle.onStop('clients', () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    stomp.drain(GOING_AWAY, 'the server is stopping');
    sockJs.close(GOING_AWAY, 'the server is stopping');
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MS);
    return closed.finally(() => clearTimeout(late));
  });
  return server;
}

/** Requests under way have so long to end; clients that don't answer a close have it too. */
const LAST_REQUESTS_MS = 3_000;
/** Name under which a connection keeps how its client addressed this server. */
const BASE = 'x-base-url';

function mountStomp(
  config: Config,
  stomp: StompEndpoint,
  trusted: Networks,
  allowOrigin: (origin: string | undefined, host: string) => boolean,
  telemetry: SystemTelemetry,
): SockJs {
  const { limits } = config;
  const addresses = new AddressLimit(limits.connectionsPerAddress);
  const client = (request: IncomingMessage) =>
    clientOf(
      trusted,
      { address: request.socket.remoteAddress, encrypted: 'encrypted' in request.socket },
      request.headers,
    );
  return createSockJs({
    prefix: PREFIX,
    maxPayload: limits.frameBytes * WIRE_FACTOR,
    maxQueuedBytes: limits.outgoingBytes,
    keepHeaders: [BASE],
    selectProtocol: (offered) => SUB_PROTOCOLS.find((name) => offered.has(name)),
    addressOf: (request) => {
      const { address, scheme, host } = client(request);
      // Kept in one word, so that nothing else of the request has to be.
      request.headers[BASE] = host === '' ? '' : interned(`${scheme}://${host}`);
      return address;
    },
    allowOrigin: (origin, request) => allowOrigin(origin, client(request).host),
    onConnection: (connection: Connection) => addresses.admit(connection, () => stomp.accept(connection)),
    onError: (error) => telemetry.log('error', 'a connection failed', { reason: String(error) }),
  });
}

const MOST_INTERNED = 1_000;
const texts = new Map<string, string>();

/** One string object for all connections that came in by the same name. */
function interned(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size < MOST_INTERNED) texts.set(text, text);
  return text;
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
