import type { InjectionToken } from 'tsyringe';
import type { FileLinks } from '../adapters/http/file-links.ts';
import type { JwtTokenIssuer } from '../adapters/jwt/token-issuer.ts';
import type { MemoryDirectory } from '../adapters/memory/directory.ts';
import type { StompSubscribers } from '../adapters/stomp/endpoint.ts';
import type { SystemTelemetry } from '../adapters/system/telemetry.ts';
import type { ModeratorChoice } from '../application/moderation/text-checks.ts';
import type { Clock } from '../application/ports/clock.ts';
import type { FileStore } from '../application/ports/file-store.ts';
import type { IdSource } from '../application/ports/id-source.ts';
import type { MemberCache } from '../application/ports/member-cache.ts';
import type { MessageBus } from '../application/ports/message-bus.ts';
import type { MessageStore } from '../application/ports/message-store.ts';
import type { ModerationStore } from '../application/ports/moderation-store.ts';
import type { Notifier } from '../application/ports/notifier.ts';
import type { Outbox } from '../application/ports/outbox.ts';
import type { ReadMarkers } from '../application/ports/read-markers.ts';
import type { RoomDirectory } from '../application/ports/room-directory.ts';
import type { SessionReporter } from '../application/ports/session-reporter.ts';
import type { SharedRates } from '../application/ports/shared-rates.ts';
import type { SiblingWorkers } from '../application/ports/sibling-workers.ts';
import type { Spans } from '../application/ports/spans.ts';
import type { TokenVerifier } from '../application/ports/token-verifier.ts';
import type { UserDirectory } from '../application/ports/user-directory.ts';
import type { RunningApplication } from '../application/running-application.ts';
import type { HubConnection } from './hub-connection.ts';
import type { ServerState } from './server-state.ts';

/** The tokens of the container. Each is a symbol with the type of its part. */
export const TOKENS = {
  telemetry: token<SystemTelemetry>('telemetry'),
  clock: token<Clock>('clock'),
  ids: token<IdSource>('ids'),
  /** Null: nothing is traced. */
  spans: token<Spans | null>('spans'),
  /** This worker's way to the parts that all workers share; null if there are none. */
  hub: token<HubConnection | null>('hub'),
  bus: token<MessageBus>('bus'),
  store: token<MessageStore>('store'),
  outbox: token<Outbox>('outbox'),
  markers: token<ReadMarkers>('markers'),
  moderationStore: token<ModerationStore>('moderationStore'),
  /** Null: there is no moderator. */
  moderation: token<ModeratorChoice | null>('moderation'),
  serverState: token<ServerState>('serverState'),
  reporter: token<SessionReporter>('reporter'),
  memberCache: token<MemberCache>('memberCache'),
  /** Null where no other worker of this machine needs the stored events. */
  siblings: token<SiblingWorkers | null>('siblings'),
  /** Null where each server counts for itself. */
  sharedRates: token<SharedRates | null>('sharedRates'),
  /** The directory file or the demo world, if one is used. */
  world: token<MemoryDirectory>('world'),
  directory: token<RoomDirectory>('directory'),
  users: token<UserDirectory>('users'),
  notifier: token<Notifier>('notifier'),
  files: token<FileStore>('files'),
  fileLinks: token<FileLinks>('fileLinks'),
  tokens: token<TokenVerifier>('tokens'),
  issuer: token<JwtTokenIssuer>('issuer'),
  subscribers: token<StompSubscribers>('subscribers'),
  application: token<RunningApplication>('application'),
} as const;

/** A token of the container that carries the type behind it. */
export type Token<T> = InjectionToken<T> & symbol & { readonly made?: T };

function token<T>(name: string): Token<T> {
  return Symbol(name) as Token<T>;
}
