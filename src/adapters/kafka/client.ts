import { connect, type Socket } from 'node:net';
import { Kafka, type KafkaConfig, type LogEntry, logLevel } from 'kafkajs';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { withTimeout } from '../support/with-timeout.ts';
import { quietRequestTimers } from './request-timers.ts';

quietRequestTimers();

export interface ClientOptions {
  readonly brokers: readonly string[];
  /** Shown in the broker's logs. */
  readonly clientId: string;
  readonly telemetry: Telemetry;
  /** A request without an answer fails after this time, in milliseconds. */
  readonly requestTimeout: number;
  /** Number of retries by kafkajs itself. */
  readonly retries: number;
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
const KEEP_ALIVE_MS = 30_000;
const LOG_INTERVAL_MS = 10_000;
const MAX_REMEMBERED_MESSAGES = 100;
const DISCONNECT_MS = 1_000;

/**
 * Creates a kafkajs client that can be abandoned at once and that logs through the Telemetry port.
 */
export function openClient(options: ClientOptions): Client {
  const sockets = new Set<Socket>();
  let abandoned = false;
  const socketFactory: NonNullable<KafkaConfig['socketFactory']> = ({ host, port, onConnect }) => {
    if (abandoned) throw new Error('this Kafka client is abandoned');
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    socket.once('connect', onConnect);
    socket.once('close', () => sockets.delete(socket));
    sockets.add(socket);
    return socket;
  };
  const kafka = new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: CONNECT_MS,
    requestTimeout: options.requestTimeout,
    retry: {
      retries: options.retries,
      initialRetryTime: 100,
      maxRetryTime: 1_000,
      // TopicConsumer replaces a failed consumer itself, with new connections. Two restarts would
      // conflict.
      restartOnFailure: async () => false,
    },
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: () => {
      const log = logTo(options.telemetry);
      // The errors of an abandoned client are expected.
      return (entry) => {
        if (!abandoned) log(entry);
      };
    },
  });
  const abandon = () => {
    abandoned = true;
    for (const socket of sockets) socket.destroy(new Error('the Kafka client is abandoned'));
  };
  return { kafka, abandon };
}

/**
 * Logs each message of kafkajs at most once in 10 s. During an outage kafkajs repeats it many times
 * a second.
 */
function logTo(telemetry: Telemetry): (entry: LogEntry) => void {
  const last = new Map<string, number>();
  return ({ namespace, log: { message, error, groupId, broker, timestamp } }) => {
    const now = Date.parse(timestamp);
    const repeated = `${namespace} ${message}`;
    if (now - (last.get(repeated) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL_MS) return;
    if (last.size > MAX_REMEMBERED_MESSAGES) last.clear();
    last.set(repeated, now);
    telemetry.log('warn', 'kafka client', { component: namespace, message, error, groupId, broker });
  };
}

/** Disconnects, but waits at most `ms` for it. Errors are ignored. Call `abandon` afterwards. */
export async function disconnect(connection: { disconnect(): Promise<void> }, ms = DISCONNECT_MS): Promise<void> {
  await withTimeout(ms, connection.disconnect(), () => new Error('timeout')).catch(() => {});
}
