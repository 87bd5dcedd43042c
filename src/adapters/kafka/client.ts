import { connect, type Socket } from 'node:net';
import { Kafka, type KafkaConfig, type LogEntry, logLevel } from 'kafkajs';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { quietRequestTimers } from './request-timers.ts';

quietRequestTimers();

export interface ClientOptions {
  readonly brokers: readonly string[];
  /** Shown in the broker's logs. */
  readonly clientId: string;
  readonly telemetry: Telemetry;
  /** A request that is not answered in this time has failed; milliseconds. */
  readonly requestTimeout: number;
  /** How often kafkajs itself tries again before it gives up. */
  readonly retries: number;
}

export interface Client {
  readonly kafka: Kafka;
  /**
   * Breaks all connections of this client and makes no new ones: nothing of it is sent any more, whatever it still tries. kafkajs waits for
   * answers when told to disconnect, and from a broker that hangs there are none.
   */
  abandon(): void;
}

const CONNECT_MS = 2_000;
const KEEP_ALIVE_MS = 30_000;
const LOG_EVERY_MS = 10_000;

/** A kafkajs client that can be given up at once, and that logs through the Telemetry port. */
export function openClient(options: ClientOptions): Client {
  const sockets = new Set<Socket>();
  let abandoned = false;
  const socketFactory: NonNullable<KafkaConfig['socketFactory']> = ({ host, port, onConnect }) => {
    if (abandoned) throw new Error('this client has been given up');
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
      // Whoever runs a consumer starts another one in its place, with fresh connections; two who restart would fight.
      restartOnFailure: async () => false,
    },
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: () => {
      const log = logTo(options.telemetry);
      // What a client that was given up still says concerns nobody.
      return (entry) => {
        if (!abandoned) log(entry);
      };
    },
  });
  const abandon = () => {
    abandoned = true;
    for (const socket of sockets) socket.destroy(new Error('given up'));
  };
  return { kafka, abandon };
}

/** An outage makes kafkajs say the same thing many times a second; one of each is enough. */
function logTo(telemetry: Telemetry): (entry: LogEntry) => void {
  const last = new Map<string, number>();
  return ({ namespace, log: { message, error, groupId, broker, timestamp } }) => {
    const now = Date.parse(timestamp);
    const what = `${namespace} ${message}`;
    if (now - (last.get(what) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    if (last.size > 100) last.clear();
    last.set(what, now);
    telemetry.log('warn', 'kafka client', { part: namespace, message, error, groupId, broker });
  };
}

/** Waits for `work` at most `ms`. What it came to afterwards is nobody's concern. @throws Error(`what` took too long) */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
