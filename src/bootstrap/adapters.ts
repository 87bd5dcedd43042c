import type { MemberCache } from '../application/ports/member-cache.ts';
import type { MessageBus } from '../application/ports/message-bus.ts';
import type { RoomDirectory } from '../application/ports/room-directory.ts';
import type { SessionReporter } from '../application/ports/session-reporter.ts';
import type { Telemetry } from '../application/ports/telemetry.ts';
import type { TokenVerifier } from '../application/ports/token-verifier.ts';
import type { UserDirectory } from '../application/ports/user-directory.ts';

/** The ports whose adapter a program that starts a server can replace. */
interface ReplaceablePorts {
  readonly bus: MessageBus;
  readonly memberCache: MemberCache;
  readonly reporter: SessionReporter;
  readonly directory: RoomDirectory;
  readonly users: UserDirectory;
  readonly tokens: TokenVerifier;
}

/** The parts of a server that a foreign adapter can use. */
export interface AdapterParts {
  readonly serverId: string;
  readonly telemetry: Telemetry;
  /** Closes the adapter when the server stops. The server closes the message bus itself. */
  onStop(name: string, close: () => Promise<void>): void;
}

/**
 * Adapters that are used instead of the configured ones. Each function is called once, at the
 * start.
 */
export type ForeignAdapters = {
  readonly [Port in keyof ReplaceablePorts]?: (parts: AdapterParts) => ReplaceablePorts[Port];
};
