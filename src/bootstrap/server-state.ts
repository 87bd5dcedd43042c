import type { ServerFacts } from '../application/ports/server-facts.ts';
import type { Health } from '../application/server-health.ts';
import type { ShownServer } from '../domain/cluster-event.ts';
import { packageVersion } from './version.ts';

/** Interval of the measured rate, in milliseconds. */
const RATE_MS = 1_000;

/** The parts of a server that know its state. They exist after the application. */
export interface ServerStateSources {
  readonly health: () => Health;
  /** Sessions and live subscriptions now, and events delivered since the start. */
  readonly counts: () => { readonly sessions: number; readonly subscriptions: number; readonly delivered: number };
}

/** The state of this server, for operators. */
export class ServerState implements ServerFacts {
  readonly #since = Math.round(Date.now() - process.uptime() * 1_000);
  readonly #version = packageVersion();
  #sources: ServerStateSources | null = null;
  #lag: (() => number) | null = null;
  #delivered = 0;
  #deliveriesPerSecond = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Begins to read the state from these sources, and to measure the rate. */
  readFrom(sources: ServerStateSources): void {
    this.#sources = sources;
    let at = performance.now();
    this.#timer = setInterval(() => {
      const { delivered } = sources.counts();
      const now = performance.now();
      this.#deliveriesPerSecond = Math.round(((delivered - this.#delivered) * 1_000) / (now - at));
      this.#delivered = delivered;
      at = now;
    }, RATE_MS).unref();
  }

  /** The bus says how many records wait. */
  lagFrom(lag: () => number): void {
    this.#lag = lag;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  read(): ShownServer {
    const own = { version: this.#version, since: this.#since, deliveriesPerSecond: this.#deliveriesPerSecond };
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
