import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import type { Registry } from 'prom-client';
import type { Application } from '../../application/application.ts';
import type { Caller, MaybePromise } from '../../application/commands.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { UserId } from '../../domain/ids.ts';
import type { RequestClients } from '../transport/request-clients.ts';
import type { DemoWorld } from './demo-world.ts';
import type { FileLinks } from './file-links.ts';
import type { OriginRule } from './origins.ts';
import type { ServiceRule } from './service-auth.ts';

export interface HttpLimits {
  /** Entries of a history page, `LIMIT_PAGE_SIZE`. */
  readonly pageSize: number;
  readonly jsonDepth: number;
  /** Of one file, `LIMIT_UPLOAD_BYTES`. */
  readonly uploadBytes: number;
  /** Of a JSON body. 1 MiB */
  readonly jsonBytes?: number;
  /** Uploads of one user under way at once. 8 */
  readonly uploadsAtOnce?: number;
  /** Milliseconds for a JSON body to arrive. 20000 */
  readonly bodyMs?: number;
  /** Milliseconds that an upload or download may stand still. 60000 */
  readonly idleMs?: number;
}

export interface HttpOptions {
  readonly application: Application;
  readonly fileLinks: FileLinks;
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'now'>;
  readonly clients: RequestClients;
  readonly allowOrigin: OriginRule;
  readonly isService: ServiceRule;
  /** Prefix of file links, no slash at the end; null: as the request was addressed. */
  readonly publicUrl: string | null;
  readonly limits: HttpLimits;
  /** Null where the demo is off. */
  readonly demo: {
    /** Makes a user's token. @throws Refusal for a user who does not exist */
    issueToken(userId: UserId): MaybePromise<string>;
    demoWorld(): DemoWorld;
  } | null;
  /** HTTP latencies are registered here, and `/metrics` shows all of it. */
  readonly metrics: Registry;
  /** The text of `/metrics` where this process is one of several behind the port; null: that of `metrics`. */
  readonly allMetrics: (() => Promise<string>) | null;
  readonly health: () => { readonly ready: boolean; readonly reasons: readonly string[] };
}

/** The options with every default filled in. */
export interface HttpDeps extends HttpOptions {
  readonly limits: Required<HttpLimits>;
}

export type Handler = (request: Request, response: Response) => MaybePromise<void>;
export type ClientHandler = (caller: Caller, request: Request, response: Response) => MaybePromise<void>;

export function depsOf(options: HttpOptions): HttpDeps {
  return {
    ...options,
    limits: { jsonBytes: 1024 * 1024, uploadsAtOnce: 8, bodyMs: 20_000, idleMs: 60_000, ...options.limits },
  };
}

/** What file links in an answer to this request begin with. */
export function linkBase(deps: HttpOptions, request: IncomingMessage): string {
  if (deps.publicUrl !== null) return deps.publicUrl;
  const { scheme, host } = deps.clients.of(request);
  return host === '' ? '' : `${scheme}://${host}`;
}
