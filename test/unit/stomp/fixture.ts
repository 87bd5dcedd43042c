import { createStompEndpoint, type StompEndpoint, StompSubscribers } from '../../../src/adapters/stomp/endpoint.ts';
import type { StompLimits } from '../../../src/adapters/stomp/session-host.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { MemoryConnection } from '../../support/memory-connection.ts';
import { partialApplication } from '../../support/partial-application.ts';
import { SmallApplication } from './small-application.ts';

export const LIMITS: StompLimits = {
  frameBytes: 65_536,
  headerBytes: 8_192,
  subscriptions: 5,
  connectSeconds: 10,
  outgoingBytes: 1_048_576,
  messagesPerSecond: 10,
  jsonDepth: 32,
};

/** An endpoint on a small application, and clients in this process. */
export class Fixture {
  readonly clock = new HandClock();
  /** The texts of the log lines. */
  readonly logs: string[] = [];
  /** The lines at `debug`, which `logs` and `lines` leave out. */
  readonly debugLines: { readonly what: string; readonly fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  /** The log lines with their fields. */
  readonly lines: { level: string; what: string; fields?: unknown }[] = [];
  readonly subscribers: StompSubscribers;
  readonly application: SmallApplication;
  readonly endpoint: StompEndpoint;

  constructor(limits: Partial<StompLimits> = {}) {
    const all = { ...LIMITS, ...limits };
    let ids = 0;
    const idSource = {
      messageId: () => '0'.repeat(24),
      secret: () => {
        ids += 1;
        return `secret-${ids}`.padEnd(24, 'x');
      },
    };
    this.subscribers = new StompSubscribers({
      limits: all,
      fileLink: (key, base) => `${base}/chat-server/files/${key}?s=1`,
      ids: idSource,
      clock: this.clock,
    });
    this.application = new SmallApplication(this.subscribers.port, this.clock);
    this.endpoint = createStompEndpoint({
      application: partialApplication(this.application),
      subscribers: this.subscribers,
      limits: all,
      telemetry: {
        count: () => {},
        observe: () => {},
        log: (level, what, fields) => {
          if (level === 'debug') {
            this.debugLines.push({ what, fields });
            return;
          }
          this.logs.push(what);
          this.lines.push({ level, what, fields });
        },
      },
      ids: idSource,
      baseUrl: (connection) => `http://${connection.headers.host ?? 'chat.example'}`,
    });
  }

  connection(protocol = '', headers: Readonly<Record<string, string>> = {}): MemoryConnection {
    const connection = new MemoryConnection(protocol, headers);
    connection.listener = this.endpoint.accept(connection);
    return connection;
  }

  /** A client after CONNECTED. Its list of received frames is empty. */
  client(user = 1, version = '1.2', more: Readonly<Record<string, string>> = {}): MemoryConnection {
    const connection = this.connection('', more.host === undefined ? {} : { host: more.host });
    connection.say(
      `CONNECT\naccept-version:${version}\nheart-beat:${more.beats ?? '0,0'}\naccess-token:user-${user}\n\n\0`,
    );
    if (!connection.received[0]?.startsWith('CONNECTED')) throw new Error(`no CONNECTED: ${connection.received[0]}`);
    connection.received.length = 0;
    return connection;
  }
}

export interface Read {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Reads a frame without unescaping its headers. */
export function read(text: string | undefined): Read {
  const frame = text ?? '';
  const [head = '', ...rest] = frame.split('\n\n');
  const [command = '', ...lines] = head.split('\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
  return { command, headers, body: rest.join('\n\n').replace(/\0$/, '') };
}

export function frame(command: string, headers: Readonly<Record<string, string | number>>, body: unknown = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  return `${command}\n${lines.join('')}\n${typeof body === 'string' ? body : JSON.stringify(body)}\0`;
}

export function say(text: string, receipt?: string): string {
  const headers = { destination: '/kafka/send-direct-message', ...(receipt === undefined ? {} : { receipt }) };
  return frame('SEND', headers, { channelId: 5, userId: 1, name: 'a', profileImage: null, content: text });
}
