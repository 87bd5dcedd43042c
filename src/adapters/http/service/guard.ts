import type { Request, Response } from 'express';
import type { MaybePromise } from '../../../application/commands.ts';
import type { AuditSubject } from '../../../application/ports/audit-log.ts';
import { asRefusal, Refusal } from '../../../domain/errors.ts';
import { foreignOrigin, mayUse } from '../cors.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import type { HttpMetrics } from '../http-metrics.ts';
import { refusalOf } from '../refuse.ts';
import { sendServiceRefusal } from './answers.ts';
import type { AuditedCalls } from './audited-calls.ts';
import { SERVICE_ENDPOINTS, type ServiceEndpoint, type ServiceEndpointName } from './endpoints.ts';

/** A call of an administrator, while it is handled. */
export interface ServiceCall {
  /** Name of the administrator. */
  readonly admin: string;
  /** Names the person, place or thing in the audit line. A later call adds to an earlier one. */
  concerns(subject: AuditSubject): void;
}

/** Handles one call. The audit line is written when it settles. */
export type ServiceHandler = (call: ServiceCall, request: Request, response: Response) => MaybePromise<void>;

/**
 * Wraps a handler of the service API: finds the administrator, answers failures with a plain
 * status, writes the audit line and measures the time.
 */
export function serviceGuard(
  deps: Pick<HttpDeps, 'adminPageActions' | 'admins' | 'allowOrigin' | 'clients' | 'telemetry'> & {
    readonly audit: AuditedCalls;
  },
  name: ServiceEndpointName,
  handler: ServiceHandler,
  metrics: HttpMetrics,
): Handler {
  const { method, path, changes, audited }: ServiceEndpoint = SERVICE_ENDPOINTS[name];
  return async (request, response) => {
    metrics.timed(response, method, path);
    let admin: string;
    try {
      admin = deps.admins(request.headers);
    } catch (error) {
      metrics.refused(path, asRefusal(error).code);
      sendServiceRefusal(request, response, asRefusal(error));
      return;
    }
    let subject: AuditSubject = {};
    const call: ServiceCall = {
      admin,
      concerns(more) {
        subject = { ...subject, ...more };
      },
    };
    try {
      if (changes) refusePages(deps, request);
      await handler(call, request, response);
      if (audited) deps.audit.record({ admin, call: name, ...subject, outcome: 'done' }, changes);
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.refused(path, refusal.code);
      if (audited) deps.audit.record({ admin, call: name, ...subject, outcome: refusal.code }, changes);
      if (!(error instanceof Refusal)) deps.telemetry.log('error', 'an HTTP call failed', { route: path, error });
      if (response.headersSent || response.destroyed) response.destroy();
      else sendServiceRefusal(request, response, refusal);
    }
  };
}

/**
 * Refuses the request of a web page, which may only read unless `ADMIN_PAGE_ACTIONS` is on. No page
 * can suppress the header `Origin` of such a request: browsers add it to every request that is not
 * GET or HEAD.
 * @throws Refusal `not-permitted`
 */
function refusePages(deps: Pick<HttpDeps, 'adminPageActions' | 'allowOrigin' | 'clients'>, request: Request): void {
  const { headers } = request;
  if (headers.origin === undefined && headers['sec-fetch-site'] === undefined) return;
  if (!mayUse(deps, request)) throw new Refusal('not-permitted', foreignOrigin(request));
  if (!deps.adminPageActions) {
    throw new Refusal('not-permitted', 'web pages may only read; set ADMIN_PAGE_ACTIONS=on to allow this call');
  }
}
