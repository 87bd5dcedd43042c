import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import type { Application } from '../../application/application.ts';
import type { Caller, MaybePromise } from '../../application/commands.ts';
import type { AuditLog } from '../../application/ports/audit-log.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { Spans } from '../../application/ports/spans.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { UserId } from '../../domain/ids.ts';
import type { RequestClients } from '../transport/request-clients.ts';
import type { DemoWorld } from './demo-world.ts';
import type { FileLinks } from './file-links.ts';
import type { HttpMetrics } from './http-metrics.ts';
import type { OriginRule } from './origins.ts';
import type { AdminRule } from './service/admin-rule.ts';
import type { ServiceRule } from './service-auth.ts';

export interface HttpLimits {
  /** Entries of a history page, `LIMIT_PAGE_SIZE`. */
  readonly pageSize: number;
  readonly jsonDepth: number;
  /** Bytes of one file, `LIMIT_UPLOAD_BYTES`. */
  readonly uploadBytes: number;
  /** Bytes of a JSON body. Default 1 MiB. */
  readonly jsonBytes?: number;
  /** Uploads of one user at the same time. Default 8. */
  readonly uploadsAtOnce?: number;
  /** Milliseconds in which a JSON body must arrive. Default 20,000. */
  readonly bodyMs?: number;
  /** Milliseconds in which an upload or download must make progress. Default 60,000. */
  readonly idleMs?: number;
}

/** The health page. All texts are human-readable. */
export interface ShownHealth {
  readonly ready: boolean;
  /** Why the server should get no clients. */
  readonly reasons: readonly string[];
  /** Shared parts that do not work, e.g. `kafka: writing: connect ECONNREFUSED`. */
  readonly degraded: readonly string[];
}

export interface HttpOptions {
  readonly application: Application;
  readonly fileLinks: FileLinks;
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'now'>;
  readonly clients: RequestClients;
  readonly allowOrigin: OriginRule;
  readonly isService: ServiceRule;
  readonly admins: AdminRule;
  /** False while there are no administrators: the admin page is closed. */
  readonly hasAdmins: boolean;
  readonly audit: AuditLog;
  /** Web pages may make calls of the service API that change something, `ADMIN_PAGE_ACTIONS`. */
  readonly adminPageActions: boolean;
  /**
   * Base of file links, without a slash at the end; null: the address to which the request was
   * sent.
   */
  readonly publicUrl: string | null;
  readonly limits: HttpLimits;
  /** Null when the demo is off. */
  readonly demo: {
    /** Issues the token of a user. @throws Refusal for a user who does not exist */
    issueToken(userId: UserId): MaybePromise<string>;
    demoWorld(): DemoWorld;
  } | null;
  /** Counts and measures these calls. */
  readonly metrics: HttpMetrics;
  /** The answer of `/metrics`. */
  readonly exposition: { readonly contentType: string; text(): Promise<string> };
  readonly health: () => ShownHealth;
  /** Null or missing: nothing is traced. */
  readonly spans?: Spans | null;
}

/** The options with all defaults. */
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

/** The base of the file links in the answer to this request. */
export function linkBase(deps: HttpOptions, request: IncomingMessage): string {
  if (deps.publicUrl !== null) return deps.publicUrl;
  const { scheme, host } = deps.clients.of(request);
  return host === '' ? '' : `${scheme}://${host}`;
}
