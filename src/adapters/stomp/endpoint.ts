import { setTimeout as delay } from 'node:timers/promises';
import type { Application } from '../../application/application.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { IdSource } from '../../application/ports/id-source.ts';
import type { LocalSubscribers } from '../../application/ports/local-subscribers.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { Connection, ConnectionListener } from '../transport/connection.ts';
import { SharedFrame } from '../transport/shared-frame.ts';
import { type Counts, zeroCounts } from './counts.ts';
import type { FileLink } from './event-body.ts';
import { Sweep } from './heart-beats.ts';
import { MessageBuilder } from './message-builder.ts';
import { Session } from './session.ts';
import type { SessionHost, StompLimits } from './session-host.ts';
import { SubscriptionIndex } from './subscription-index.ts';

/** How often a drain looks whether all are gone. */
const LOOK_MS = 20;
const MOST_HEADERS = 64;
const MOST_CONNECT_HEADERS = 32;
const PREFIX_LENGTH = 8;
/** Frames of all kinds that a connection may send for each message that its user may: beats, receipts asked for, subscriptions, typing. */
const FRAMES_PER_MESSAGE = 50;
const LEAST_FRAMES = 500;

export interface StompSubscribersOptions {
  readonly limits: StompLimits;
  readonly fileLink: FileLink;
  readonly ids: IdSource;
  readonly clock: Clock;
}

/** The subscriptions of an endpoint. Made before the application, which delivers to them; the endpoint is made after it. */
export class StompSubscribers {
  readonly index: SubscriptionIndex;
  readonly messages: MessageBuilder;
  readonly sweep: Sweep;
  readonly slowBytes: number;
  readonly counts = zeroCounts();

  constructor({ limits, fileLink, ids, clock }: StompSubscribersOptions) {
    this.messages = new MessageBuilder(fileLink, ids.secret().slice(0, PREFIX_LENGTH));
    this.sweep = new Sweep(clock);
    this.slowBytes = limits.outgoingBytes / 2;
    this.index = new SubscriptionIndex(this.messages, this.slowBytes, this.sweep, this.counts);
  }

  /** The port that the application delivers through. */
  get port(): LocalSubscribers {
    return this.index;
  }
}

export interface StompEndpointOptions {
  readonly application: Application;
  readonly subscribers: StompSubscribers;
  readonly limits: StompLimits;
  readonly telemetry: Telemetry;
  readonly ids: IdSource;
  /** Begins the links of files that this client is shown, e.g. `https://chat.example`. Asked once a connection; best one object a value. */
  readonly baseUrl: (connection: Connection) => string;
}

export interface StompEndpoint {
  /** Begins a session. For a transport's `onConnection`. */
  accept(connection: Connection): ConnectionListener;
  /**
   * Closes every session with this code and without ERROR, each once its commands are settled and told, and from then on every new one at once.
   * Resolves when all are closed, `withinMs` at the latest.
   */
  drain(code: number, reason: string, withinMs: number): Promise<void>;
  /** For metrics. */
  counts(): Readonly<Counts> & { readonly sessions: number };
}

export function createStompEndpoint(options: StompEndpointOptions): StompEndpoint {
  const { application, subscribers, limits, telemetry, ids, baseUrl } = options;
  const { index, messages, sweep, counts } = subscribers;
  const { frameBytes, headerBytes } = limits;
  const host: SessionHost = {
    application,
    telemetry,
    ids,
    limits,
    strangerLimits: { frameBytes: Math.min(frameBytes, headerBytes), headerBytes, headerCount: MOST_CONNECT_HEADERS },
    frameLimits: { frameBytes, headerBytes, headerCount: MOST_HEADERS },
    index,
    messages,
    replayBytes: limits.outgoingBytes / 4,
    framesPerSecond: Math.max(LEAST_FRAMES, FRAMES_PER_MESSAGE * limits.messagesPerSecond),
    counts,
    sweep,
    beatFrame: new SharedFrame('\n'),
    get tick() {
      return sweep.tick;
    },
  };
  let closing: { readonly code: number; readonly reason: string } | null = null;
  return {
    accept(connection) {
      const session = new Session(connection, baseUrl(connection), host);
      if (closing !== null) session.close(closing.code, closing.reason);
      return session;
    },
    async drain(code, reason, withinMs) {
      closing = { code, reason };
      const sessions = (): Session[] => [...sweep.items()].filter((item) => item instanceof Session);
      for (const session of sessions()) session.drain(code, reason);
      for (let waited = 0; waited < withinMs && sweep.size > 0; waited += LOOK_MS) await delay(LOOK_MS);
      for (const session of sessions()) session.close(code, reason);
    },
    counts: () => ({ ...counts, sessions: sweep.size }),
  };
}
