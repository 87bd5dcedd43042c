import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DependencyContainer } from 'tsyringe';
import type { MemoryBroker } from '../adapters/memory/memory-broker.ts';
import { SystemClock } from '../adapters/system/clock.ts';
import { SystemTelemetry } from '../adapters/system/telemetry.ts';
import type { ForeignAdapters } from './adapters.ts';
import type { Config, Secrets } from './config/config.ts';
import { createContainer } from './container.ts';
import { serveHttp } from './http-server.ts';
import { serverIdentity } from './identity.ts';
import { Lifecycle } from './lifecycle.ts';
import { Outages } from './outages.ts';
import { openResources, type ServerParts } from './resources.ts';
import { startStep } from './start-failure.ts';
import { TOKENS } from './tokens.ts';

export interface ChatServerOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly telemetry?: SystemTelemetry;
  /** The bus of servers that live in one process. */
  readonly broker?: MemoryBroker;
  /** Adapters that are used instead of the configured ones. */
  readonly adapters?: ForeignAdapters;
  /** Number of this worker process from 1; null for a server of one process. */
  readonly worker?: number | null;
  /** Fills the places of the demo world that have had no message yet. Default: false. */
  readonly withSamples?: boolean;
}

/** Milliseconds that each part may take to stop. */
const STOP_EACH_MS = 8_000;
/** Milliseconds in which a stopping application stores and publishes what it has accepted. */
const FINISH_MS = 6_000;

/** One chat server: everything between its listening socket and the services behind it. */
export class ChatServer {
  readonly id: string;
  readonly telemetry: SystemTelemetry;
  readonly #lifecycle: Lifecycle;
  readonly #server: Server;
  readonly #host: string;

  private constructor({ id, telemetry, lifecycle, config }: ServerParts, server: Server) {
    this.id = id;
    this.telemetry = telemetry;
    this.#lifecycle = lifecycle;
    this.#server = server;
    this.#host = config.listen.host;
  }

  /**
   * Starts in this order: stores, bus, listening socket. When a step fails, the steps before it are
   * undone.
   * @throws StartFailure that names the variable to look at
   */
  static async start(options: ChatServerOptions): Promise<ChatServer> {
    const { config, secrets, worker = null, broker, adapters = {} } = options;
    const id = await startStep(
      {
        variable: 'DATA_DIR',
        fileHint: 'set DATA_DIR to a folder that the server can write, or set SERVER_ID',
      },
      () => serverIdentity(config.server, worker),
    );
    const telemetry =
      options.telemetry ??
      SystemTelemetry.create({ level: config.server.logLevel, base: { server: id }, processMetrics: true });
    const lifecycle = new Lifecycle((name, error) =>
      telemetry.log('warn', 'a part of the server did not stop', { name, error }),
    );
    const outages = new Outages(new SystemClock());
    const parts: ServerParts = { id, config, secrets, telemetry, lifecycle, outages, worker, broker, adapters };
    try {
      const container = createContainer(await openResources(parts));
      if (options.withSamples === true) await fillDemo(container);
      await joinCluster(parts, container);
      return new ChatServer(parts, await serveHttp(parts, container));
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

  /**
   * Resolves with the error if a part fails for good after the start. The server must stop then.
   */
  get failed(): Promise<Error> {
    return this.#lifecycle.failed;
  }

  /**
   * Drains and stops: accepts nothing more, asks clients to connect to another server, stores and
   * publishes what was accepted, leaves the cluster. Bounded in time; idempotent.
   */
  stop(): Promise<void> {
    return this.#lifecycle.stop(STOP_EACH_MS);
  }
}

/** Stores the sample conversations, before the application reads the newest numbers. */
async function fillDemo(container: DependencyContainer): Promise<void> {
  const { seedDemo } = await import('./demo/seed.ts');
  await seedDemo({
    store: container.resolve(TOKENS.store),
    files: container.resolve(TOKENS.files),
    markers: container.resolve(TOKENS.markers),
    world: container.resolve(TOKENS.world),
    ids: container.resolve(TOKENS.ids),
    clock: container.resolve(TOKENS.clock),
  });
}

/** Starts the application, which joins the bus. */
async function joinCluster(
  { config, adapters, lifecycle }: ServerParts,
  container: DependencyContainer,
): Promise<void> {
  await startStep({ variable: 'DIRECTORY_FILE' }, () => container.resolve(TOKENS.world));
  const application = container.resolve(TOKENS.application);
  const bus = container.resolve(TOKENS.bus);
  let joined = false;
  // A server whose id another live server uses must not remove the consumer groups of that server.
  lifecycle.onStop('bus', () => bus.close({ forget: joined }));
  const variable = config.bus.kind === 'kafka' && adapters.bus === undefined ? 'KAFKA_BROKERS' : null;
  await startStep({ variable }, () => application.start());
  joined = true;
  lifecycle.onStop('application', () => application.stop(FINISH_MS));
}
