import { setTimeout as delay } from 'node:timers/promises';
import type { Application } from '../../application/application.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { IdSource } from '../../application/ports/id-source.ts';
import type { LocalSubscribers } from '../../application/ports/local-subscribers.ts';
import type { Spans } from '../../application/ports/spans.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { Connection, ConnectionListener } from '../transport/connection.ts';
import { SharedFrame } from '../transport/shared-frame.ts';
import { type Counts, zeroCounts } from './counts.ts';
import { DeliveryTimes } from './delivery-times.ts';
import type { FileLink } from './event-body.ts';
import { Sweep } from './heart-beats.ts';
import { MessageBuilder } from './message-builder.ts';
import { closePaced } from './paced-close.ts';
import { PlaceTraffic } from './place-traffic.ts';
import { Session } from './session.ts';
import type { SessionHost, StompLimits } from './session-host.ts';
import { SubscriptionIndex } from './subscription-index.ts';
import type { WatchSlot } from './watch-slot.ts';

/** Milliseconds between two checks of a drain whether all sessions are closed. */
const DRAIN_CHECK_MS = 20;
const MAX_HEADERS = 64;
const MAX_CONNECT_HEADERS = 32;
/** Characters of the prefix of message ids. */
const PREFIX_LENGTH = 8;
/**
 * Frames of all kinds for each message that a user may send: heart-beats, subscriptions, typing and
 * so on.
 */
const FRAMES_PER_MESSAGE = 50;
/** Lower bound of the frames per second that a connection may send. */
const MIN_FRAMES_PER_SECOND = 500;
/** A connection may send the frames of this many seconds at once. */
const FRAME_BURST_SECONDS = 10;

export interface StompSubscribersOptions {
  readonly limits: StompLimits;
  readonly fileLink: FileLink;
  readonly ids: IdSource;
  readonly clock: Clock;
  /** Null or missing: nothing is traced. */
  readonly spans?: Spans | null;
}

/**
 * The subscriptions of an endpoint. The application delivers to them, so they are created before it
 * and the endpoint after it.
 */
export class StompSubscribers {
  readonly index: SubscriptionIndex;
  readonly messages: MessageBuilder;
  readonly sweep: Sweep;
  readonly slowBytes: number;
  readonly counts = zeroCounts();
  readonly times: DeliveryTimes;
  readonly clock: Clock;
  readonly watch: WatchSlot = { watcher: null };

  readonly spans: Spans | null;

  constructor({ limits, fileLink, ids, clock, spans = null }: StompSubscribersOptions) {
    this.spans = spans;
    this.messages = new MessageBuilder(fileLink, ids.secret().slice(0, PREFIX_LENGTH));
    this.sweep = new Sweep(clock);
    this.times = new DeliveryTimes(clock);
    this.clock = clock;
    this.slowBytes = limits.outgoingBytes / 2;
    this.index = new SubscriptionIndex({
      messages: this.messages,
      slowBytes: this.slowBytes,
      sweep: this.sweep,
      counts: this.counts,
      times: this.times,
      traffic: new PlaceTraffic(clock),
      watch: this.watch,
      spans,
    });
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
  /**
   * The base of the file links that this client is shown, e.g. `https://chat.example`. Called once
   * for each connection. Every connection keeps the string: return the same string object for equal
   * values.
   */
  readonly baseUrl: (connection: Connection) => string;
}

/** Sums of an endpoint. */
export interface StompTotals extends Pick<Counts, 'subscriptions' | 'delivered' | 'spared' | 'unheard'> {
  /** Refused commands. */
  readonly refused: number;
  /** ERROR frames. */
  readonly errors: number;
  /** Messages and replies that clients sent. */
  readonly messages: number;
  /** Connections now, those before CONNECT included. */
  readonly sessions: number;
}

export interface Drain {
  /** Close code and reason for the clients. */
  readonly code: number;
  readonly reason: string;
  /** Time over which the sessions are closed, in milliseconds. 0: all at once. */
  readonly overMs: number;
  /** Time for the commands of the last sessions to settle, in milliseconds. */
  readonly withinMs: number;
}

export interface StompEndpoint {
  /** Begins a session. To be called by a transport for each new connection. */
  accept(connection: Connection): ConnectionListener;
  /**
   * Closes every session with this code and without ERROR, each when its open commands are
   * answered. From then on, new sessions are closed at once. Resolves when all sessions are closed,
   * after `overMs` and `withinMs` at the latest.
   */
  drain(drain: Drain): Promise<void>;
  /** The counters in short. */
  counts(): StompTotals;
  /** All counters, for the metrics. */
  readonly figures: Readonly<Counts>;
  readonly times: DeliveryTimes;
  /** The connections of all sessions, those before CONNECT included. */
  connections(): readonly Connection[];
}

export function createStompEndpoint(options: StompEndpointOptions): StompEndpoint {
  const { application, subscribers, limits, telemetry, ids, baseUrl } = options;
  const { index, messages, sweep, counts, times, clock, watch, spans } = subscribers;
  const { frameBytes, headerBytes } = limits;
  const framesPerSecond = Math.max(MIN_FRAMES_PER_SECOND, FRAMES_PER_MESSAGE * limits.messagesPerSecond);
  const host: SessionHost = {
    application,
    telemetry,
    ids,
    limits,
    connectLimits: { frameBytes: Math.min(frameBytes, headerBytes), headerBytes, headerCount: MAX_CONNECT_HEADERS },
    frameLimits: { frameBytes, headerBytes, headerCount: MAX_HEADERS },
    index,
    messages,
    replayBytes: limits.outgoingBytes / 4,
    frameAllowance: { max: FRAME_BURST_SECONDS * framesPerSecond, perSecond: framesPerSecond },
    counts,
    sweep,
    clock,
    watch,
    spans,
    beatFrame: new SharedFrame('\n'),
    get tick() {
      return sweep.tick;
    },
  };
  const sessions = (): Session[] => sweep.targets().filter((target) => target instanceof Session);
  let closing: { readonly code: number; readonly reason: string } | null = null;
  return {
    accept(connection) {
      const session = new Session(connection, baseUrl(connection), host);
      if (closing !== null) session.close(closing.code, closing.reason, 'drain');
      return session;
    },
    async drain({ code, reason, overMs, withinMs }) {
      closing = { code, reason };
      await closePaced({ sessions: sessions(), code, reason, overMs, clock });
      for (let waited = 0; waited < withinMs && sweep.size > 0; waited += DRAIN_CHECK_MS) await delay(DRAIN_CHECK_MS);
      for (const session of sessions()) session.close(code, reason, 'drain');
    },
    counts: () => ({
      subscriptions: counts.subscriptions,
      delivered: counts.delivered,
      spared: counts.spared,
      unheard: counts.unheard,
      refused: counts.refused.total,
      errors: counts.errors.total,
      messages: counts.received.message + counts.received.reply,
      sessions: sweep.size,
    }),
    figures: counts,
    times,
    connections: () => sessions().map(({ connection }) => connection),
  };
}
