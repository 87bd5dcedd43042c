import type { Request, Response } from 'express';
import type { MaybePromise } from '../../../application/commands.ts';
import type { AuditSubject } from '../../../application/ports/audit-log.ts';
import { asRefusal, Refusal } from '../../../domain/errors.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import type { HttpMetrics } from '../http-metrics.ts';
import { refusalOf } from '../refuse.ts';
import { sendServiceRefusal } from './answers.ts';
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
  deps: Pick<HttpDeps, 'admins' | 'audit' | 'telemetry'>,
  name: ServiceEndpointName,
  handler: ServiceHandler,
  metrics: HttpMetrics,
): Handler {
  const { method, path, audited }: ServiceEndpoint = SERVICE_ENDPOINTS[name];
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
      await handler(call, request, response);
      if (audited) deps.audit.record({ admin, call: name, ...subject, outcome: 'done' });
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.refused(path, refusal.code);
      if (audited) deps.audit.record({ admin, call: name, ...subject, outcome: refusal.code });
      if (!(error instanceof Refusal)) deps.telemetry.log('error', 'an HTTP call failed', { route: path, error });
      if (response.headersSent || response.destroyed) response.destroy();
      else sendServiceRefusal(request, response, refusal);
    }
  };
}
