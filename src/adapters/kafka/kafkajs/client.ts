import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, type KafkaConfig, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';
import type { Telemetry } from '../../../application/ports/telemetry.ts';
import { tlsConnectOptions, tlsServerName } from '../../support/tls.ts';
import { withTimeout } from '../../support/with-timeout.ts';
import { clientLog } from '../client-log.ts';
import type { ClientOptions } from '../driver.ts';
import type { SaslOptions } from '../sasl.ts';
import { addCodecs } from './codecs.ts';
import { boundFetchedRecords } from './fetched-records.ts';
import { recoverGroups } from './group-recovery.ts';
import { reportGroupRefusals } from './group-refusals.ts';
import { quietRequestTimers } from './request-timers.ts';

quietRequestTimers();
recoverGroups();
reportGroupRefusals();
addCodecs();
boundFetchedRecords();

/** How kafkajs itself repeats a request. */
export interface RetryOptions {
  readonly retries: number;
  /** The longest pause before a retry, in milliseconds; 1 s if not given. */
  readonly maxPauseMs?: number;
}

/** What all clients of one server share, since a failed client is replaced by a new one. */
export interface ClientContext {
  readonly options: ClientOptions;
  readonly failures: BrokerFailures;
  readonly log: (entry: LogEntry) => void;
}

export function clientContext(options: ClientOptions): ClientContext {
  return { options, failures: new BrokerFailures(), log: logTo(options.telemetry) };
}

export interface Client {
  readonly kafka: Kafka;
  /**
   * Destroys all sockets of this client and opens no new ones, so that it can send nothing more.
   * The `disconnect` of kafkajs waits for answers, and a hanging broker gives none.
   */
  abandon(): void;
}

const CONNECT_MS = 2_000;
/** A request without an answer fails after this time. */
const REQUEST_MS = 10_000;
/**
 * How often a producer or consumer looks for new partitions and other addresses of brokers. The
 * default of kafkajs is five minutes.
 */
export const METADATA_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_REMEMBERED_FAILURES = 100;
const DISCONNECT_MS = 1_000;

/**
 * Creates a kafkajs client that can be abandoned at once and that logs through the Telemetry port.
 */
export function openClient(context: ClientContext, { retries, maxPauseMs = 1_000 }: RetryOptions): Client {
  const { options, failures, log } = context;
  const { tls, sasl } = options;
  const hosts = new SeedHosts(failures.inOrder(options.brokers));
  const sockets = new Set<Socket>();
  let abandoned = false;
  const socketFactory: NonNullable<KafkaConfig['socketFactory']> = ({ host: name, port, onConnect }) => {
    if (abandoned) throw new Error('this Kafka client is abandoned');
    const host = hosts.of(name);
    const address = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const socket =
      tls === null ? connect(address) : connectTls({ ...address, ...tlsServerName(host), ...tlsConnectOptions(tls) });
    // Each request that waits for the connection adds one.
    socket.setMaxListeners(0);
    let isConnected = false;
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      isConnected = true;
      failures.connected(host, port);
      onConnect();
    });
    socket.once('close', () => {
      sockets.delete(socket);
      if (!isConnected && !abandoned) failures.failed(host, port);
    });
    sockets.add(socket);
    return socket;
  };
  const kafka = new Kafka({
    brokers: hosts.brokers,
    clientId: options.clientId,
    connectionTimeout: CONNECT_MS,
    ...(sasl === null ? {} : { sasl: saslOf(sasl) }),
    requestTimeout: REQUEST_MS,
    retry: {
      retries,
      initialRetryTime: 100,
      maxRetryTime: maxPauseMs,
      // TopicConsumer replaces a failed consumer itself, with new connections. Two restarts would
      // conflict.
      restartOnFailure: async () => false,
    },
    socketFactory,
    logLevel: logLevel.WARN,
    // The errors of an abandoned client are expected.
    logCreator: () => (entry) => {
      if (!abandoned) log(entry);
    },
  });
  const abandon = () => {
    abandoned = true;
    for (const socket of sockets) socket.destroy(new Error('the Kafka client is abandoned'));
  };
  return { kafka, abandon };
}

/** Remembers the brokers that could not be reached. */
class BrokerFailures {
  /** When a connection to a broker failed for the last time since one succeeded. */
  readonly #failedAt = new Map<string, number>();

  failed(host: string, port: number): void {
    if (this.#failedAt.size > MAX_REMEMBERED_FAILURES) this.#failedAt.clear();
    this.#failedAt.set(addressOf(host, port), performance.now());
  }

  connected(host: string, port: number): void {
    this.#failedAt.delete(addressOf(host, port));
  }

  /**
   * The brokers in the order in which a client should try them. kafkajs always begins with the
   * first one, so that a client without retries would never get past a dead broker.
   */
  inOrder(brokers: readonly string[]): string[] {
    return brokers.toSorted((a, b) => (this.#failedAt.get(a) ?? 0) - (this.#failedAt.get(b) ?? 0));
  }
}

function addressOf(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Gives kafkajs names without a colon for the IPv6 addresses among the first brokers. */
class SeedHosts {
  readonly brokers: string[];
  readonly #addresses = new Map<string, string>();

  constructor(brokers: readonly string[]) {
    this.brokers = brokers.map((broker, index) => {
      const [, address, port] = /^\[(.+)\]:(\d+)$/.exec(broker) ?? [];
      if (address === undefined) return broker;
      const name = `ipv6-broker-${index}`;
      this.#addresses.set(name, address);
      return `${name}:${port}`;
    });
  }

  of(name: string): string {
    return this.#addresses.get(name) ?? name;
  }
}

function saslOf({ mechanism, username, password }: SaslOptions): SASLOptions {
  // A union of types takes no mechanism that is a union itself.
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}

/** The messages of kafkajs in the form of the log. */
function logTo(telemetry: Telemetry): (entry: LogEntry) => void {
  const write = clientLog(telemetry);
  return ({ namespace, log: { message, error, groupId, broker } }) =>
    write({ component: namespace, message, error, groupId, broker });
}

/** Disconnects, but waits at most `ms` for it. Errors are ignored. Call `abandon` afterwards. */
export async function disconnect(connection: { disconnect(): Promise<void> }, ms = DISCONNECT_MS): Promise<void> {
  await withTimeout(ms, connection.disconnect(), () => new Error('timeout')).catch(() => {});
}
