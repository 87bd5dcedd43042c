import { Gauge, type Registry } from 'prom-client';
import type { Application } from '../application/application.ts';
import type { Health } from '../application/server-health.ts';
import type { ServerParts } from './resources.ts';

/**
 * Returns a function that reads the health of the whole server: of the application, with the names
 * of the configured parts, and of the services behind it.
 */
export function healthPage(
  { config, adapters, lifecycle, outages }: Pick<ServerParts, 'config' | 'adapters' | 'lifecycle' | 'outages'>,
  application: Pick<Application, 'health'>,
): () => Health {
  const names: Readonly<Record<string, string>> = {
    bus: config.bus.kind === 'kafka' && adapters.bus === undefined ? 'kafka' : 'bus',
    store: config.store.kind === 'mongo' ? 'mongodb' : config.store.kind,
  };
  return () => {
    const health = application.health();
    const reasons = lifecycle.isStopping ? ['stopping', ...health.reasons] : health.reasons;
    const own = health.degraded.map(({ part, reason }) => ({ part: names[part] ?? part, reason }));
    return { ready: reasons.length === 0, reasons, degraded: [...own, ...outages.list()] };
  };
}

/** Registers `chat_ready` and `chat_degraded`. Over several workers, the worst value is shown. */
export function registerHealthMetrics(registry: Registry, health: () => Health): void {
  const registers = [registry];
  new Gauge({
    name: 'chat_ready',
    help: '1 while this server should get clients',
    registers,
    aggregator: 'min',
    collect() {
      this.set(health().ready ? 1 : 0);
    },
  });
  const seen = new Set<string>();
  new Gauge({
    name: 'chat_degraded',
    help: '1 while a shared part does not work. A part appears with its first outage',
    registers,
    labelNames: ['part'],
    aggregator: 'max',
    collect() {
      const now = new Set(health().degraded.map(({ part }) => part));
      for (const part of now) seen.add(part);
      for (const part of seen) this.set({ part }, now.has(part) ? 1 : 0);
    },
  });
}
