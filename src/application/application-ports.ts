import type { Adoption, AdoptionParts } from './first-generation/adoption.ts';
import type { ModeratorChoice } from './moderation/text-checks.ts';
import type { Clock } from './ports/clock.ts';
import type { FileStore } from './ports/file-store.ts';
import type { IdSource } from './ports/id-source.ts';
import type { JobStore } from './ports/job-store.ts';
import type { LocalSubscribers } from './ports/local-subscribers.ts';
import type { MemberCache } from './ports/member-cache.ts';
import type { MessageBus } from './ports/message-bus.ts';
import type { MessageStore } from './ports/message-store.ts';
import type { ModerationStore } from './ports/moderation-store.ts';
import type { Notifier } from './ports/notifier.ts';
import type { Outbox } from './ports/outbox.ts';
import type { Random } from './ports/random.ts';
import type { ReadMarkers } from './ports/read-markers.ts';
import type { RoomDirectory } from './ports/room-directory.ts';
import type { ServerFacts } from './ports/server-facts.ts';
import type { SessionReporter } from './ports/session-reporter.ts';
import type { SharedRates } from './ports/shared-rates.ts';
import type { SiblingWorkers } from './ports/sibling-workers.ts';
import type { Spans } from './ports/spans.ts';
import type { StoredData } from './ports/stored-data.ts';
import type { Telemetry } from './ports/telemetry.ts';
import type { TokenVerifier } from './ports/token-verifier.ts';
import type { UserDirectory } from './ports/user-directory.ts';

/** The ports that the application needs. */
export interface ApplicationPorts {
  readonly bus: MessageBus;
  readonly moderationStore: ModerationStore;
  /** Null: there is no moderator. */
  readonly moderation: ModeratorChoice | null;
  readonly serverFacts: ServerFacts;
  readonly store: MessageStore;
  readonly outbox: Outbox;
  readonly markers: ReadMarkers;
  readonly data: StoredData;
  readonly jobs: JobStore;
  readonly reporter: SessionReporter;
  readonly directory: RoomDirectory;
  readonly memberCache: MemberCache;
  /** Null: each server counts for itself. */
  readonly sharedRates: SharedRates | null;
  /** Null or missing: no other worker of this machine needs the stored events. */
  readonly siblings?: SiblingWorkers | null;
  readonly tokens: TokenVerifier;
  readonly users: UserDirectory;
  readonly notifier: Notifier;
  readonly files: FileStore;
  readonly subscribers: LocalSubscribers;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Null or missing: commands are not traced. */
  readonly spans?: Spans | null;
  /** Null where no original server runs beside these. */
  readonly originals: FirstGeneration | null;
}

/** Takes the events of original servers. A part of its own, so that others do not load it. */
export interface FirstGeneration {
  adoptionOf(parts: AdoptionParts): Adoption;
}
