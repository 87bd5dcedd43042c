import { isIP } from 'node:net';
import type { BaseOptions, Connection, ConnectionPool } from '@platformatic/kafka';
import { isRefusedForGood } from '../../support/refused-connection.ts';
import { tlsConnectOptions } from '../../support/tls.ts';
import { withTimeout } from '../../support/with-timeout.ts';
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
  #refusal: Error | null = null;

  watch(pool: ConnectionPool): void {
    pool.on('connecting', ({ connection }: { connection: Connection }) => {
      this.#open.add(connection);
      // The library listens to the first error of a connection only. A second one, such as a reset
      // after a refused login, would end the process.
      connection.on('error', (error) => {
        if (isRefusedForGood(error)) this.#refusal = error;
      });
      connection.once('close', () => this.#open.delete(connection));
      connection.once('error', () => this.#open.delete(connection));
    });
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
    for (const { socket } of this.#open) socket?.destroy();
    this.#open.clear();
  }
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
