import type { ServerFacts } from '../application/ports/server-facts.ts';
import type { Health } from '../application/server-health.ts';
import type { ShownServer } from '../domain/cluster-event.ts';
import { EventLoopWatch } from './event-loop-watch.ts';
import { packageVersion } from './version.ts';

/** Interval of the measured rates, in milliseconds. */
const RATE_MS = 1_000;

export interface StateCounts {
  /** Sessions and live subscriptions now. */
  readonly sessions: number;
  readonly subscriptions: number;
  /** Events delivered, and messages that clients sent, since the start. */
  readonly delivered: number;
  readonly messages: number;
}

/** The parts of a server that know its state. They exist after the application. */
export interface ServerStateSources {
  readonly health: () => Health;
  readonly counts: () => StateCounts;
}

/** The state of this server, for operators. */
export class ServerState implements ServerFacts {
  readonly #since = Math.round(Date.now() - process.uptime() * 1_000);
  readonly #version = packageVersion();
  #sources: ServerStateSources | null = null;
  #lag: (() => number) | null = null;
  readonly #eventLoop = new EventLoopWatch();
  #before = { delivered: 0, messages: 0 };
  #rates = { deliveriesPerSecond: 0, messagesPerSecond: 0 };
  #timer: NodeJS.Timeout | undefined;

  /** Begins to read the state from these sources, and to measure the rates. */
  readFrom(sources: ServerStateSources): void {
    this.#sources = sources;
    let at = performance.now();
    this.#timer = setInterval(() => {
      const { delivered, messages } = sources.counts();
      const now = performance.now();
      const perSecond = (events: number): number => Math.round((events * 1_000) / (now - at));
      this.#rates = {
        deliveriesPerSecond: perSecond(delivered - this.#before.delivered),
        messagesPerSecond: perSecond(messages - this.#before.messages),
      };
      this.#before = { delivered, messages };
      this.#eventLoop.tick();
      at = now;
    }, RATE_MS).unref();
  }

  /** The bus says how many records wait. */
  lagFrom(lag: () => number): void {
    this.#lag = lag;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#eventLoop.stop();
  }

  read(): ShownServer {
    const { utilization, delayMs } = this.#eventLoop.read();
    const own = {
      version: this.#version,
      since: this.#since,
      ...this.#rates,
      eventLoopUtilization: utilization,
      eventLoopDelayMs: delayMs,
      memoryBytes: process.memoryUsage.rss(),
    };
    const lag = this.#lag?.() ?? null;
    if (this.#sources === null) {
      return { ...own, sessions: 0, subscriptions: 0, lag, ready: false, reasons: ['starting'], degraded: [] };
    }
    const { ready, reasons, degraded } = this.#sources.health();
    const { sessions, subscriptions } = this.#sources.counts();
    return {
      ...own,
      sessions,
      subscriptions,
      lag,
      ready,
      reasons,
      degraded: degraded.map(({ part, reason }) => `${part}: ${reason}`),
    };
  }
}
