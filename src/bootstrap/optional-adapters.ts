import type { KafkaBusOptions } from '../adapters/kafka/message-bus.ts';
import type { FileLink } from '../adapters/mongo/documents.ts';
import type { Metrics } from '../adapters/system/metrics.ts';
import type { MessageBus } from '../application/ports/message-bus.ts';
import type { Telemetry } from '../application/ports/telemetry.ts';
import type { BusChoice } from './config/bus.ts';
import type { Config } from './config/config.ts';
import { readKafkaMetrics } from './part-metrics.ts';
import type { SharedParts } from './shared-parts.ts';

/**
 * Loads the adapters with large libraries, each only if the configuration asks for it. All of them
 * together would cost an embedded server 70 MB.
 */
export async function loadOptionalAdapters(config: Config, shared: SharedParts | null, fileLink: FileLink | null) {
  const asksServices = [config.directory, config.users, config.notifications, config.moderator].some(
    ({ kind }) => kind === 'rest',
  );
  return {
    createBus: await loadBus(config.bus, config.firstGeneration ? await loadOriginalForm(fileLink) : {}),
    hub: shared === null ? null : await loadHub(shared.hub),
    redis: config.memberCache.kind === 'redis' ? await loadRedis() : null,
    rest: asksServices ? await loadRest() : null,
  };
}

export type OptionalAdapters = Awaited<ReturnType<typeof loadOptionalAdapters>>;

interface BusParts {
  readonly serverId: string;
  readonly metrics: Metrics;
  /** Takes the function that counts the records that wait. */
  lagFrom(lag: () => number): void;
  telemetry(name: string): Telemetry;
  /** The bus refuses this server after its start. The server must stop. */
  onRefused(error: unknown): void;
}

/** Loads the shared bus; null for the bus inside one process. A new bus is one more case. */
async function loadBus(
  bus: BusChoice,
  form: Pick<KafkaBusOptions, 'encode' | 'partitions'>,
): Promise<((parts: BusParts) => MessageBus) | null> {
  switch (bus.kind) {
    case 'memory':
      return null;
    case 'kafka': {
      const { KafkaMessageBus } = await import('../adapters/kafka/message-bus.ts');
      const security = bus.security.reveal();
      const { loadDriver } = await import('../adapters/kafka/load-driver.ts');
      const openDriver = await loadDriver(bus.client);
      return ({ serverId, telemetry, metrics, lagFrom, onRefused }) => {
        const options = {
          ...bus,
          ...security,
          ...form,
          openDriver,
          serverId,
          telemetry: telemetry('kafka'),
          onRefused,
        };
        const kafka = new KafkaMessageBus(options);
        readKafkaMetrics(metrics, () => kafka.figures());
        lagFrom(() => kafka.figures().reduce((sum, { lag }) => sum + lag, 0));
        return kafka;
      };
    }
  }
}

/**
 * The form of records and topics that servers of the original understand. They write without keys,
 * so that several partitions would change the order of their messages.
 */
async function loadOriginalForm(fileLink: FileLink | null) {
  const { originalForm } = await import('../adapters/records/original-form.ts');
  return { encode: originalForm(fileLink), partitions: 1 };
}

/** Loads the parts that workers share over the hub at this path. */
async function loadHub(path: string) {
  const { HubClient } = await import('../adapters/hub/hub-client.ts');
  const { HubMessageBus } = await import('../adapters/hub/message-bus.ts');
  const { HubMemberCache } = await import('../adapters/hub/member-cache.ts');
  const { HubSessionReporter } = await import('../adapters/hub/session-reporter.ts');
  const { HubSharedRates } = await import('../adapters/hub/shared-rates.ts');
  const { HubSiblingWorkers } = await import('../adapters/hub/sibling-workers.ts');
  return { path, HubClient, HubMessageBus, HubMemberCache, HubSessionReporter, HubSharedRates, HubSiblingWorkers };
}

async function loadRedis() {
  const { RedisMemberCache } = await import('../adapters/redis/member-cache.ts');
  const { RedisSharedRates } = await import('../adapters/redis/shared-rates.ts');
  return { RedisMemberCache, RedisSharedRates };
}

async function loadRest() {
  const { RestService } = await import('../adapters/rest/rest-service.ts');
  const { RestRoomDirectory } = await import('../adapters/rest/room-directory.ts');
  const { RestUserDirectory } = await import('../adapters/rest/user-directory.ts');
  const { MODERATOR_TIMEOUT_MS, RestModerator } = await import('../adapters/rest/moderator.ts');
  const { RestNotifier } = await import('../adapters/rest/notifier.ts');
  return { RestService, RestRoomDirectory, RestUserDirectory, RestNotifier, RestModerator, MODERATOR_TIMEOUT_MS };
}
