import type { Metrics } from '../adapters/system/metrics.ts';
import type { Application } from '../application/application.ts';
import type { Health } from '../application/server-health.ts';
import type { Config } from './config/config.ts';
import type { ServerParts } from './resources.ts';

type HealthParts = Pick<ServerParts, 'config' | 'adapters'>;

/**
 * Returns a function that reads the health of the whole server: of the application, with the names
 * of the configured parts, and of the services behind it.
 */
export function healthPage(
  parts: HealthParts & Pick<ServerParts, 'lifecycle' | 'outages'>,
  application: Pick<Application, 'health'>,
): () => Health {
  const { lifecycle, outages } = parts;
  const names = partNames(parts);
  return () => {
    const health = application.health();
    const reasons = lifecycle.isStopping ? ['stopping', ...health.reasons] : health.reasons;
    const own = health.degraded.map(({ part, reason }) => ({ part: names[part] ?? part, reason }));
    return { ready: reasons.length === 0, reasons, degraded: [...own, ...outages.list()] };
  };
}

/** Says where `chat_ready` and `chat_degraded` are. Parts that work are shown as 0. */
export function readHealthMetrics(metrics: Metrics, health: () => Health, parts: HealthParts): void {
  metrics.read('chat_ready', () => (health().ready ? 1 : 0));
  const known = new Set([...Object.values(partNames(parts)), ...neighbours(parts.config)]);
  metrics.read('chat_degraded', () => {
    const degraded = new Set(health().degraded.map(({ part }) => part));
    for (const part of degraded) known.add(part);
    return [...known].map((part) => ({ labels: { part }, value: degraded.has(part) ? 1 : 0 }));
  });
}

/** The names of the parts that the application itself watches. */
function partNames({ config, adapters }: HealthParts): Readonly<Record<string, string>> {
  return {
    bus: config.bus.kind === 'kafka' && adapters.bus === undefined ? 'kafka' : 'bus',
    store: config.store.kind === 'mongo' ? 'mongodb' : config.store.kind,
  };
}

/** The names of the other parts that are configured. */
function neighbours({ memberCache, presence, directory, users, notifications, moderator }: Config): string[] {
  return [
    'files',
    ...(memberCache.kind === 'redis' ? ['redis'] : []),
    ...(presence.kind === 'embedded' ? [] : ['presence']),
    ...(directory.kind === 'rest' ? ['community'] : []),
    ...(users.kind === 'rest' ? ['user'] : []),
    ...(notifications.kind === 'rest' ? ['notification'] : []),
    ...(moderator.kind === 'rest' ? ['moderator'] : []),
  ];
}
