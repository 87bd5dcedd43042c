import { isIP } from 'node:net';
import type { BaseOptions, Broker, Connection, ConnectionPool } from '@platformatic/kafka';
import { isRefusedForGood } from '../../support/refused-connection.ts';
import { tlsConnectOptions } from '../../support/tls.ts';
import { withTimeout } from '../../support/with-timeout.ts';
import { type ClientMessage, clientLog } from '../client-log.ts';
import type { ClientOptions } from '../driver.ts';
import type { SaslOptions } from '../sasl.ts';
import { withCause } from './errors.ts';

const CONNECT_MS = 2_000;
/** A request without an answer fails after this time. */
export const REQUEST_MS = 10_000;
/**
 * How often a producer or consumer looks for new partitions and other addresses of brokers.
 */
export const METADATA_MS = 10_000;
const CLOSE_MS = 1_000;

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const satisfies Record<SaslOptions['mechanism'], string>;

/** What all clients of one server share, since a failed client is replaced by a new one. */
export interface ClientContext {
  readonly options: ClientOptions;
  readonly log: (message: ClientMessage) => void;
}

export function clientContext(options: ClientOptions): ClientContext {
  return { options, log: clientLog(options.telemetry) };
}

/** The options of each client of the library. */
export function clientOptions({ brokers, clientId, tls, sasl }: ClientOptions): BaseOptions {
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    metadataMaxAge: METADATA_MS,
    autocreateTopics: false,
    ...(tls === null ? {} : { tls: tlsConnectOptions(tls), tlsServerName: tls.serverName ?? haveNames(brokers) }),
    ...(sasl === null
      ? {}
      : { sasl: { mechanism: MECHANISMS[sasl.mechanism], username: sasl.username, password: sasl.password } }),
  };
}

/** False if a broker is given by its address, which is not allowed as the name of a server. */
function haveNames(brokers: readonly string[]): boolean {
  return brokers.every((broker) => !broker.startsWith('[') && isIP(broker.slice(0, broker.lastIndexOf(':'))) === 0);
}

/**
 * The connections of one client. They can be destroyed at once: the `close` of the library waits
 * until everything is written.
 */
export class Connections {
  readonly #open = new Set<Connection>();
  readonly #log: ClientContext['log'];
  readonly #refused = Promise.withResolvers<Error>();
  #refusal: Error | null = null;
  #isAbandoned = false;

  constructor(log: ClientContext['log']) {
    this.#log = log;
  }

  watch(pool: ConnectionPool): void {
    pool.on('connecting', ({ connection, broker }: Connecting) => {
      this.#open.add(connection);
      // The library listens to the first error of a connection only. A second one, such as a reset
      // after a refused login, would end the process.
      connection.on('error', (error) => {
        if (isRefusedForGood(error)) this.#refuse(error);
        this.#logError(error, broker);
      });
      connection.once('close', () => this.#open.delete(connection));
      connection.once('error', () => this.#open.delete(connection));
    });
  }

  /**
   * Resolves when a broker refuses a certificate, the user or the password. The library repeats the
   * request for seconds then.
   */
  get refused(): Promise<Error> {
    return this.#refused.promise;
  }

  /**
   * The error with its causes. If a broker refused a connection only after the handshake, as for a
   * missing certificate, the requests fail without the reason, and this method adds it.
   */
  explain(error: unknown): Error {
    const found = withCause(error);
    if (this.#refusal === null || isRefusedForGood(found)) return found;
    return new Error(found.message, { cause: withCause(this.#refusal) });
  }

  destroy(): void {
    this.#isAbandoned = true;
    for (const { socket } of this.#open) socket?.destroy();
    this.#open.clear();
  }

  #refuse(error: Error): void {
    this.#refusal = error;
    this.#refused.resolve(error);
  }

  /** The errors of abandoned connections are expected. */
  #logError(error: Error, { host, port }: Broker): void {
    if (this.#isAbandoned) return;
    const { message, cause } = withCause(error);
    const reason = cause instanceof Error ? cause.message : undefined;
    this.#log({ component: 'connection', message, error: reason, broker: `${host}:${port}` });
  }
}

interface Connecting {
  readonly connection: Connection;
  readonly broker: Broker;
}

interface Closable {
  close(): Promise<void>;
}

/** Destroys all connections of a client. Closed clients open no new ones. */
export function abandon(client: Closable, connections: Connections): void {
  connections.destroy();
  client.close().catch(() => {});
}

/** Closes a client, but waits at most a second for it. Errors are ignored. */
export async function close(client: Closable, connections: Connections): Promise<void> {
  await withTimeout(CLOSE_MS, client.close(), () => new Error('timeout')).catch(() => {});
  connections.destroy();
}
