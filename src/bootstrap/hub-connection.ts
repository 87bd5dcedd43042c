import type { VoiceDeparture } from '../adapters/memory/session-reporter.ts';
import type { StoredEvents } from '../adapters/sqlite/stored-events.ts';
import type { MemberCache } from '../application/ports/member-cache.ts';
import type { MessageBus } from '../application/ports/message-bus.ts';
import type { SessionReporter } from '../application/ports/session-reporter.ts';
import type { SharedRates } from '../application/ports/shared-rates.ts';
import type { SiblingWorkers } from '../application/ports/sibling-workers.ts';
import type { Telemetry } from '../application/ports/telemetry.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { OptionalAdapters } from './optional-adapters.ts';
import type { Outages } from './outages.ts';
import { startFailure } from './start-failure.ts';

export interface HubConnectionParts {
  readonly server: string;
  readonly telemetry: Telemetry;
  readonly lifecycle: Lifecycle;
  readonly outages: Outages;
  readonly onVoiceLeft: (left: VoiceDeparture) => void;
}

/** The adapters of the parts that the workers of this machine share. */
export interface HubConnection {
  createBus(storedEvents: StoredEvents | null, telemetry: Telemetry): MessageBus;
  createMemberCache(): MemberCache;
  createReporter(): SessionReporter;
  createSharedRates(): SharedRates;
  createSiblings(): SiblingWorkers;
}

/** Connects this worker to the hub. */
export function connectHub(
  {
    path,
    HubClient,
    HubMessageBus,
    HubMemberCache,
    HubSessionReporter,
    HubSharedRates,
    HubSiblingWorkers,
  }: NonNullable<OptionalAdapters['hub']>,
  { server, telemetry, lifecycle, outages, onVoiceLeft }: HubConnectionParts,
): HubConnection {
  const hub = new HubClient({ path, server, onVoiceLeft });
  lifecycle.onStop('hub', async () => hub.close());
  let wasLost = false;
  hub.listen({
    joined() {
      outages.ended('hub');
      if (wasLost) telemetry.log('info', 'the hub of the workers is back');
    },
    left(reason) {
      wasLost = true;
      outages.began('hub', reason);
      telemetry.log('warn', 'the hub of the workers is away', { error: reason });
    },
  });
  const onRefused = (error: Error) => lifecycle.fail(startFailure({ variable: 'SERVER_ID' }, error));
  return {
    createBus: (storedEvents, busTelemetry) =>
      new HubMessageBus({ hub, telemetry: busTelemetry, storedEvents, onRefused }),
    createMemberCache: () => new HubMemberCache(hub),
    createReporter: () => new HubSessionReporter(hub),
    createSharedRates: () => new HubSharedRates(hub),
    createSiblings: () => new HubSiblingWorkers(hub),
  };
}
