import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { createHttpApp } from '../../../src/adapters/http/app.ts';
import type { HttpLimits, HttpOptions } from '../../../src/adapters/http/deps.ts';
import { createFileLinks } from '../../../src/adapters/http/file-links.ts';
import { HttpMetrics } from '../../../src/adapters/http/http-metrics.ts';
import { originRule } from '../../../src/adapters/http/origins.ts';
import { createHttpServer } from '../../../src/adapters/http/server.ts';
import { adminRule } from '../../../src/adapters/http/service/admin-rule.ts';
import { serviceRule } from '../../../src/adapters/http/service-auth.ts';
import { LOCAL_NETWORKS, parseNetworks } from '../../../src/adapters/transport/networks.ts';
import { RequestClients } from '../../../src/adapters/transport/request-clients.ts';
import type { Application, Caller } from '../../../src/application/application.ts';
import type { AuditEntry } from '../../../src/application/ports/audit-log.ts';
import type { FileStore } from '../../../src/application/ports/file-store.ts';
import type { MessageStore } from '../../../src/application/ports/message-store.ts';
import type { Spans } from '../../../src/application/ports/spans.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { embeddedApplication } from '../../support/embedded-application.ts';
import { partialApplication } from '../../support/partial-application.ts';

/** 2026-11-22T15:49:35.642Z */
export const NOW = 1_795_362_575_642;
export const ADMINS = [
  { name: 'ops', token: 'a-token-of-operations' },
  { name: 'app', token: 'a-token-of-the-application' },
];
/** The headers of the administrator `ops`. */
export const AS_OPS = { authorization: 'Bearer a-token-of-operations' };
const LINK_KEY = Buffer.from('a key of links');

export function caller(userId: number): Caller {
  return { userId, token: `token-${userId}`, expiresAt: NOW + 3_600_000 };
}

/**
 * An application that knows the tokens `token-1`, `token-2`, ... The test gives all other calls.
 */
export function applicationOf(calls: Partial<Application>): Application {
  return partialApplication({
    authenticate(token, claimedUserId) {
      if (token === null) throw new Refusal('no-token', 'there is no token');
      const id = /^token-(\d+)$/.exec(token)?.[1];
      if (id === undefined || (claimedUserId !== null && claimedUserId !== id))
        throw new Refusal('bad-token', 'a bad token');
      return caller(Number(id));
    },
    health: () => ({ ready: true, reasons: [], degraded: [] }),
    ...calls,
  });
}

/**
 * The uploads of a real application. It knows room 5 with the users 1 and 2, and channel 5 of their
 * community 1.
 */
export async function uploadsTo(
  files: FileStore,
  limit: number,
  append?: MessageStore['append'],
  spans?: Spans,
): Promise<{ readonly calls: Partial<Application>; readonly store: MessageStore }> {
  const { app, store } = await embeddedApplication({
    files,
    limits: { uploadBytes: limit },
    world: { users: {}, rooms: { 5: [1, 2] }, communities: { 1: { members: [1, 2], channels: { 5: null } } } },
    ...(append && { append }),
    ...(spans && { spans }),
  });
  return { calls: { uploadFile: app.uploadFile, openFile: app.openFile }, store };
}

export interface Running {
  readonly url: string;
  readonly server: Server;
  readonly options: HttpOptions;
  readonly logged: string[];
  readonly audited: AuditEntry[];
}

interface Settings extends Partial<Omit<HttpOptions, 'limits'>> {
  readonly limits?: Partial<HttpLimits>;
}

/** Serves an application on loopback until the test has finished. */
export async function serve(calls: Partial<Application>, settings: Settings = {}): Promise<Running> {
  const clock = settings.clock ?? { now: () => NOW };
  const logged: string[] = [];
  const audited: AuditEntry[] = [];
  const options: HttpOptions = {
    application: applicationOf(calls),
    fileLinks: createFileLinks({ keys: [LINK_KEY], hours: 24, clock }),
    telemetry: {
      count() {},
      observe() {},
      log: (level, what, fields) => logged.push(`${level} ${what} ${JSON.stringify(fields)}`),
    },
    clients: new RequestClients(parseNetworks([])),
    allowOrigin: originRule(undefined),
    isService: serviceRule(null, parseNetworks(LOCAL_NETWORKS)),
    admins: adminRule(ADMINS),
    hasAdmins: true,
    adminPageActions: false,
    audit: { record: (entry) => audited.push(entry) },
    publicUrl: null,
    demo: null,
    metrics: new HttpMetrics(),
    exposition: { contentType: 'text/plain', text: async () => 'chat_ready 1\n' },
    health: () => ({ ready: true, reasons: [], degraded: [] }),
    ...settings,
    clock,
    limits: { pageSize: 200, jsonDepth: 32, uploadBytes: 1_000_000, ...settings.limits },
  };
  const server = createHttpServer({
    handle: createHttpApp(options),
    upgrades: null,
    clients: options.clients,
    allowOrigin: options.allowOrigin,
    telemetry: options.telemetry,
    clock: { monotonic: () => performance.now() },
    times: { headersMs: 1_000 },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, options, logged, audited };
}

export const asUser = (id: number): Record<string, string> => ({ authorization: `Bearer token-${id}` });

/** The status and the JSON body of an answer. */
export async function json(answer: Response | Promise<Response>): Promise<{ status: number; body: unknown }> {
  const response = await answer;
  return { status: response.status, body: await response.json() };
}

/** Matches a refusal in the envelope, with any message. */
export function refused(code: number): { status: number; body: object } {
  const retry = code === 2429 ? { 'retry-after-ms': expect.any(Number) } : {};
  return { status: 400, body: { isSuccess: false, code, message: expect.any(String), ...retry } };
}
