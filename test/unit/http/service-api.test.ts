import { describe, expect, it } from 'vitest';
import { adminRule } from '../../../src/adapters/http/service/admin-rule.ts';
import { SERVICE_ENDPOINTS } from '../../../src/adapters/http/service/endpoints.ts';
import type { JobReport } from '../../../src/application/retention/data-jobs.ts';
import type { ExportLine } from '../../../src/application/retention/export-user.ts';
import type { ServiceCalls } from '../../../src/application/service-calls.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { traceStep } from '../../../src/domain/trace.ts';
import { AS_OPS, asUser, json, NOW, type Running, serve } from './harness.ts';

const ID = '0123456789abcdef01234567';

/** Serves an application with only these calls of the service API. */
function serveService(calls: Partial<ServiceCalls>, settings: Parameters<typeof serve>[1] = {}): Promise<Running> {
  return serve({ service: calls as ServiceCalls }, settings);
}

const post = (body: unknown, headers: Record<string, string> = AS_OPS): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers,
});

it.each(
  Object.values(SERVICE_ENDPOINTS).flatMap(({ method, path }) => [
    [method, path, 'no token', {}, 401, 2101],
    [method, path, 'the token of a user', asUser(1), 401, 2102],
    [method, path, 'another token', { authorization: 'Bearer a-token-of-nobody' }, 401, 2102],
    [method, path, 'an admin token without Bearer', { authorization: 'a-token-of-operations' }, 401, 2102],
  ]) as [string, string, string, Record<string, string>, number, number][],
)('refuses %s %s with %s', async (method, path, _, headers, status, code) => {
  const { url, audited } = await serve({});
  const at = url + path.replace(':id', ID).replace(':userId', '1').replace(':place', 'r-5');
  const answer = await json(fetch(at, { method: method.toUpperCase(), headers }));
  expect(answer).toEqual({ status, body: { code, message: expect.any(String) } });
  expect(audited).toEqual([]);
});

it('refuses every call while there are no administrators', async () => {
  const { url } = await serve({}, { admins: adminRule([]) });
  const answer = await json(fetch(`${url}/chat-server/service/messages`, post({})));
  expect(answer).toEqual({
    status: 403,
    body: { code: 2103, message: 'the service API is closed; the server has no ADMIN_TOKENS' },
  });
});

it('answers a path that is not a call with 404', async () => {
  const { url } = await serve({});
  expect(await json(fetch(`${url}/chat-server/service/nothing`, { headers: AS_OPS }))).toEqual({
    status: 404,
    body: { code: 2100, message: 'there is no call GET /chat-server/service/nothing' },
  });
});

it('sends a message in the name of a user, and audits who did it to whom without the text', async () => {
  const sent: unknown[] = [];
  const { url, audited } = await serveService({
    sendMessage: async (message) => {
      sent.push(message);
      return { id: ID, seq: 41 };
    },
  });
  const body = { place: 'r-5', userId: '1', content: 'the text', nonce: 'n', more: true };
  expect(await json(fetch(`${url}/chat-server/service/messages`, post(body)))).toEqual({
    status: 200,
    body: { id: ID, seq: 41 },
  });
  expect(sent).toEqual([
    { place: 'r-5', userId: 1, content: 'the text', communityId: null, parentId: null, nonce: 'n' },
  ]);
  expect(audited).toEqual([
    { admin: 'ops', call: 'sendMessage', userId: 1, place: 'r-5', messageId: ID, outcome: 'done' },
  ]);
});

it.each([
  [{ userId: 1, content: 'x' }, 'place is missing'],
  [{ place: 'com-1', userId: 1, content: 'x' }, 'place must be like r-5 or c-11'],
  [{ place: 'r-5', userId: 'x', content: 'x' }, 'userId must be a positive integer'],
  [{ place: 'r-5', userId: 1, content: 7 }, 'content must be a text'],
  [{ place: 'r-5', userId: 1, content: 'x', parentId: 'y' }, 'parentId must be 24 hexadecimal digits'],
])('refuses the message %j', async (body, message) => {
  const { url, audited } = await serveService({});
  const answer = await json(fetch(`${url}/chat-server/service/messages`, post(body)));
  expect(answer).toEqual({ status: 400, body: { code: 2100, message } });
  expect(audited).toEqual([{ admin: 'ops', call: 'sendMessage', outcome: 'bad-input' }]);
});

it('deletes a message of any author, and audits the author', async () => {
  const { url, audited } = await serveService({
    deleteMessage: async ({ id }) => ({ id, seq: 42, userId: 7 }),
  });
  const at = `${url}/chat-server/service/messages/${ID}`;
  const headers = { authorization: 'Bearer a-token-of-the-application' };
  expect(await json(fetch(`${at}?place=r-5`, { method: 'DELETE', headers }))).toEqual({
    status: 200,
    body: { id: ID, seq: 42 },
  });
  expect(await json(fetch(at, { method: 'DELETE', headers }))).toEqual({
    status: 400,
    body: { code: 2100, message: 'place is missing' },
  });
  expect(audited).toEqual([
    { admin: 'app', call: 'deleteMessage', messageId: ID, place: 'r-5', userId: 7, outcome: 'done' },
    { admin: 'app', call: 'deleteMessage', messageId: ID, outcome: 'bad-input' },
  ]);
});

it.each([
  ['not-permitted', 403, 2103],
  ['message-not-found', 404, 4111],
  ['too-large', 413, 2413],
  ['try-again', 503, 2503],
  ['store-failed', 500, 2300],
] as const)('answers the refusal %s with the status %i, and audits it', async (code, status, number) => {
  const { url, audited } = await serveService({
    deleteMessage: () => Promise.reject(new Refusal(code, 'why')),
  });
  const at = `${url}/chat-server/service/messages/${ID}?place=r-5`;
  expect(await json(fetch(at, { method: 'DELETE', headers: AS_OPS }))).toEqual({
    status,
    body: { code: number, message: 'why' },
  });
  expect(audited).toMatchObject([{ admin: 'ops', outcome: code }]);
});

it('logs a defect of a call, and shows nothing of it', async () => {
  const { url, logged } = await serveService({ deleteMessage: () => Promise.reject(new Error('secret')) });
  const answer = await fetch(`${url}/chat-server/service/messages/${ID}?place=r-5`, {
    method: 'DELETE',
    headers: AS_OPS,
  });
  expect([answer.status, await answer.text()]).toEqual([
    500,
    '{"code":2301,"message":"the server failed unexpectedly"}',
  ]);
  expect(logged.join()).toContain('an HTTP call failed');
});

/** A service that records its calls and answers with these results. */
function recorded(results: Partial<Record<keyof ServiceCalls, unknown>>) {
  const calls: unknown[] = [];
  const service = Object.fromEntries(
    Object.entries(results).map(([name, result]) => [
      name,
      (...args: unknown[]) => {
        calls.push([name, ...args]);
        return result;
      },
    ]),
  );
  return { calls, service: service as Partial<ServiceCalls> };
}

const NOON = Date.UTC(2026, 10, 27, 12);
const NOON_TEXT = '2026-11-27T12:00:00.000';
const put = (body: unknown): RequestInit => ({ ...post(body), method: 'PUT' });
const DELETE: RequestInit = { method: 'DELETE', headers: AS_OPS };
const GET: RequestInit = { headers: AS_OPS };

it.each<[string, RequestInit, string, unknown, unknown[], unknown, object | null]>([
  ['disconnect', post({ userId: 1 }), 'disconnect', 2, ['ops', 1], { sessions: 2 }, { userId: 1 }],
  [
    'bans/1',
    put({ until: NOON_TEXT, reason: 'spam' }),
    'ban',
    undefined,
    ['ops', { userId: 1, until: NOON, reason: 'spam' }],
    { userId: 1, until: NOON_TEXT, reason: 'spam' },
    { userId: 1 },
  ],
  [
    'bans/1',
    put({ until: '2026-11-27T12:00:00Z' }),
    'ban',
    undefined,
    ['ops', { userId: 1, until: NOON, reason: null }],
    { userId: 1, until: NOON_TEXT, reason: null },
    { userId: 1 },
  ],
  [
    'bans/1',
    put({}),
    'ban',
    undefined,
    ['ops', { userId: 1, until: null, reason: null }],
    { userId: 1, until: null, reason: null },
    { userId: 1 },
  ],
  ['bans/1', DELETE, 'unban', undefined, ['ops', 1], { userId: 1 }, { userId: 1 }],
  [
    'bans',
    GET,
    'bans',
    [{ userId: 1, until: NOON, reason: 'spam', admin: 'app', at: NOON }],
    [],
    [{ userId: 1, until: NOON_TEXT, reason: 'spam', admin: 'app', at: NOON_TEXT }],
    null,
  ],
  [
    'mutes/1',
    put({ place: 'r-5', until: NOON_TEXT }),
    'mute',
    undefined,
    ['ops', { userId: 1, place: 'r-5', until: NOON }],
    { userId: 1, place: 'r-5', until: NOON_TEXT },
    { userId: 1, place: 'r-5' },
  ],
  [
    'mutes/1',
    put({ place: null, until: null }),
    'mute',
    undefined,
    ['ops', { userId: 1, place: null, until: null }],
    { userId: 1, place: null, until: null },
    { userId: 1 },
  ],
  [
    'mutes/1?place=c-11',
    DELETE,
    'unmute',
    undefined,
    ['ops', { userId: 1, place: 'c-11' }],
    { userId: 1, place: 'c-11' },
    { userId: 1, place: 'c-11' },
  ],
  [
    'mutes/1',
    DELETE,
    'unmute',
    undefined,
    ['ops', { userId: 1, place: null }],
    { userId: 1, place: null },
    { userId: 1 },
  ],
  [
    'mutes',
    GET,
    'mutes',
    [{ userId: 1, place: null, until: null, admin: 'app', at: NOON }],
    [],
    [{ userId: 1, place: null, until: null, admin: 'app', at: NOON_TEXT }],
    null,
  ],
  [
    'places/c-11/slow-mode',
    put({ seconds: 10 }),
    'slowMode',
    undefined,
    ['ops', { place: 'c-11', seconds: 10 }],
    { place: 'c-11', seconds: 10 },
    { place: 'c-11' },
  ],
  [
    'slow-modes',
    GET,
    'slowModes',
    [{ place: 'r-5', seconds: 10, admin: 'app', at: NOON }],
    [],
    [{ place: 'r-5', seconds: 10, admin: 'app', at: NOON_TEXT }],
    null,
  ],
  [
    'places/com-1/presence',
    GET,
    'presence',
    { seen: { subscribed: [1, 2], looking: [2], leftOut: 0 }, missing: ['chat-3'] },
    ['com-1'],
    { subscribed: [1, 2], looking: [2], leftOut: 0, missing: ['chat-3'] },
    { place: 'com-1' },
  ],
  [
    'users/1/sessions',
    GET,
    'sessions',
    { seen: [{ server: 'chat-1', since: NOON, address: '10.0.0.7' }], missing: [] },
    [1],
    { sessions: [{ server: 'chat-1', since: NOON_TEXT, address: '10.0.0.7' }], missing: [] },
    { userId: 1 },
  ],
  [
    'servers',
    GET,
    'servers',
    { seen: [{ server: 'chat-1', since: NOON, version: '1.2.3', lag: null }], missing: [] },
    [],
    { servers: [{ server: 'chat-1', since: NOON_TEXT, version: '1.2.3', lag: null }], missing: [] },
    null,
  ],
])('answers the call %s, %j, and audits it', async (path, request, name, result, args, body, subject) => {
  const { calls, service } = recorded({ [name]: result });
  const { url, audited } = await serveService(service);
  expect(await json(fetch(`${url}/chat-server/service/${path}`, request))).toEqual({ status: 200, body });
  expect(calls).toEqual([[name, ...args]]);
  const entry = { admin: 'ops', call: expect.any(String), ...subject, outcome: 'done' };
  expect(audited).toEqual(subject === null ? [] : [entry]);
});

it.each([
  ['disconnect', post({}), 'userId is missing'],
  ['bans/x', put({}), 'the user id in the path must be a positive integer'],
  ['bans/1', put([]), 'the body must be a JSON object'],
  ['bans/1', put({ until: 'tomorrow' }), 'until must be a time in UTC like 2026-11-27T12:00:00.000, or null'],
  [
    'bans/1',
    put({ until: '2026-13-27T12:00:00' }),
    'until must be a time in UTC like 2026-11-27T12:00:00.000, or null',
  ],
  ['bans/1', put({ until: 5 }), 'until must be a time in UTC like 2026-11-27T12:00:00.000, or null'],
  ['bans/1', put({ reason: 5 }), 'reason must be a text'],
  ['mutes/1', put({ place: 'com-1' }), 'place must be like r-5 or c-11'],
  ['mutes/1?place=com-1', DELETE, 'place must be like r-5 or c-11'],
  ['places/com-1/slow-mode', put({ seconds: 1 }), 'the place in the path must be like r-5 or c-11'],
  ['places/r-5/slow-mode', put({}), 'seconds is missing'],
  ['places/r-5/slow-mode', put({ seconds: '1' }), 'seconds must be a number'],
  ['places/x/presence', GET, 'the place in the path must be like r-5, c-11 or com-1'],
  ['users/0/sessions', GET, 'the user id in the path must be a positive integer'],
])('refuses the call %s, %j', async (path, request, message) => {
  const { url } = await serveService({});
  expect(await json(fetch(`${url}/chat-server/service/${path}`, request))).toEqual({
    status: 400,
    body: { code: 2100, message },
  });
});

const JOB: JobReport = {
  id: ID,
  task: { kind: 'erasure', userId: 7, mode: 'erase', dryRun: false },
  state: 'waiting',
  cursor: null,
  counts: { messages: 2 },
  error: null,
  createdAt: 0,
  finishedAt: null,
  dueAt: 1_000,
  copies: ['Kafka: for a week'],
};
const SHOWN_JOB = {
  ...{ id: ID, task: JOB.task, state: 'waiting', counts: { messages: 2 }, error: null, copies: JOB.copies },
  ...{ created: '1970-01-01T00:00:00.000', finished: null, next: '1970-01-01T00:00:01.000' },
};

it('begins the erasure of a user, answers with the job, and audits it', async () => {
  const { url, audited } = await serveService({ eraseUser: async () => JOB });
  const at = `${url}/chat-server/service/users/7?mode=erase`;
  expect(await json(fetch(at, { method: 'DELETE', headers: AS_OPS }))).toEqual({ status: 202, body: SHOWN_JOB });
  expect(audited).toEqual([{ admin: 'ops', call: 'eraseUser', userId: 7, id: ID, outcome: 'done' }]);
});

it.each([
  ['DELETE', 'users/7', 'mode must be anonymise or erase'],
  ['DELETE', 'users/7?mode=erase&dry-run=maybe', 'dry-run must be true or false'],
  ['DELETE', 'users/x?mode=erase', 'the user id in the path must be a positive integer'],
  ['POST', 'jobs/retention-dry-run?days=0', 'days must be from 1 to 36500'],
])('refuses %s %s of personal data', async (method, path, message) => {
  const { url } = await serveService({ eraseUser: async () => JOB, tryRetention: async () => JOB });
  const answer = await json(fetch(`${url}/chat-server/service/${path}`, { method, headers: AS_OPS }));
  expect(answer).toEqual({ status: 400, body: { code: 2100, message } });
});

it('shows a job by its id, and 404 for another id', async () => {
  const { url } = await serveService({ job: async (id) => (id === ID ? JOB : null), jobs: async () => [JOB] });
  const get = (path: string) => json(fetch(`${url}/chat-server/service/jobs${path}`, { headers: AS_OPS }));
  expect(await get(`/${ID}`)).toEqual({ status: 200, body: SHOWN_JOB });
  expect(await get('')).toEqual({ status: 200, body: { jobs: [SHOWN_JOB] } });
  expect(await get('/none')).toEqual({ status: 404, body: { code: 4111, message: 'there is no job none' } });
});

it('streams the export of a user as lines of JSON, and breaks off when the store fails', async () => {
  const lines = async function* (userId: number): AsyncGenerator<ExportLine> {
    yield { type: 'user', userId, time: 0 };
    if (userId === 8) throw new Refusal('try-again', 'the database does not answer');
    for (let seq = 0; seq < 5_000; seq += 1) yield { type: 'read', position: { place: 'r-5', seq } };
    yield { type: 'end', lines: 5_001 };
  };
  const { url } = await serveService({ exportUser: lines });
  const get = (id: number) => fetch(`${url}/chat-server/service/users/${id}/export`, { headers: AS_OPS });
  const text = await (await get(7)).text();
  const read = text.trimEnd().split('\n');
  expect(read).toHaveLength(5_002);
  expect(read[0]).toBe('{"type":"user","userId":7,"time":"1970-01-01T00:00:00.000"}');
  expect(read.at(-1)).toBe('{"type":"end","lines":5001}');
  await expect(get(8).then((answer) => answer.text())).rejects.toThrow();
});

it('names the administrator of the token, and says whether pages may act', async () => {
  const { url } = await serveService({}, { adminPageActions: true });
  expect(await json(fetch(`${url}/chat-server/service/me`, { headers: AS_OPS }))).toEqual({
    status: 200,
    body: { admin: 'ops', pageActions: true },
  });
});

it('lists the busiest places and the slow clients, as many as asked for', async () => {
  const sizes: number[] = [];
  const client = {
    server: 'one',
    userId: 7,
    address: '10.0.0.7',
    transport: 'xhr',
    subscriptions: 3,
    waitingBytes: 17,
  };
  const { url } = await serveService({
    busiest: async (size) => {
      sizes.push(size);
      const rates = { eventsPerSecond: 1.26, deliveriesPerSecond: 10 / 3, subscriptions: 4 };
      return { seen: [{ place: 'r-5', ...rates }], missing: ['two'] };
    },
    slowClients: async (size) => {
      sizes.push(size);
      return { seen: { clients: [{ ...client, since: 0 }], leftOut: 2 }, missing: [] };
    },
  });
  const get = (path: string) => json(fetch(`${url}/chat-server/service/${path}`, { headers: AS_OPS }));
  expect((await get('busiest-places?size=7')).body).toEqual({
    places: [{ place: 'r-5', eventsPerSecond: 1.3, deliveriesPerSecond: 3.3, subscriptions: 4 }],
    missing: ['two'],
  });
  expect((await get('slow-clients')).body).toEqual({
    clients: [{ ...client, since: '1970-01-01T00:00:00.000' }],
    leftOut: 2,
    missing: [],
  });
  expect(sizes).toEqual([7, 50]);
  for (const size of ['0', '201', '-1', 'x']) expect((await get(`slow-clients?size=${size}`)).status).toBe(400);
});

describe('web pages', () => {
  const changes = Object.values(SERVICE_ENDPOINTS).filter((endpoint) => endpoint.changes);
  const at = (url: string, path: string) =>
    url + path.replace(':id', ID).replace(':userId', '1').replace(':place', 'r-5');

  it.each(changes.map(({ method, path }) => [method.toUpperCase(), path]))(
    'may not make the call %s %s while ADMIN_PAGE_ACTIONS is off',
    async (method, path) => {
      const { url, audited } = await serveService({});
      for (const headers of [{ origin: url }, { 'sec-fetch-site': 'same-origin' }]) {
        const answer = await json(fetch(at(url, path), { method, headers: { ...AS_OPS, ...headers } }));
        expect(answer).toEqual({
          status: 403,
          body: { code: 2103, message: 'web pages may only read; set ADMIN_PAGE_ACTIONS=on to allow this call' },
        });
      }
      expect(audited.map(({ outcome }) => outcome)).toEqual(['not-permitted', 'not-permitted']);
    },
  );

  it('may make calls that change something while ADMIN_PAGE_ACTIONS is on, but not from foreign origins', async () => {
    const unbanned: number[] = [];
    const unban = async (_: string, userId: number) => void unbanned.push(userId);
    const { url } = await serveService({ unban }, { adminPageActions: true });
    const ask = async (origin: string) => {
      const headers = { ...AS_OPS, origin };
      return (await fetch(`${url}/chat-server/service/bans/7`, { method: 'DELETE', headers })).status;
    };
    expect([await ask(url), await ask('https://evil.example')]).toEqual([200, 403]);
    expect(unbanned).toEqual([7]);
  });
});

it('audits a read that a page repeats once a minute, and every call that changes something', async () => {
  let now = NOW;
  const { url, audited } = await serveService(
    { sessions: async () => ({ seen: [], missing: [] }), unban: async () => {} },
    { clock: { now: () => now } },
  );
  const call = (method: string, path: string) =>
    fetch(`${url}/chat-server/service/${path}`, { method, headers: AS_OPS });
  const audits = () => audited.splice(0).map(({ call, userId }) => `${call} ${userId}`);
  for (const user of [1, 1, 2, 1]) await call('GET', `users/${user}/sessions`);
  expect(audits()).toEqual(['userSessions 1', 'userSessions 2']);
  now += 59_000;
  await call('GET', 'users/1/sessions');
  expect(audits()).toEqual([]);
  now += 1_000;
  await call('GET', 'users/1/sessions');
  await call('DELETE', 'bans/1');
  await call('DELETE', 'bans/1');
  expect(audits()).toEqual(['userSessions 1', 'unbanUser 1', 'unbanUser 1']);
});

describe('traces', () => {
  const subject = { kind: 'user', userId: 42 } as const;
  const begun = { id: 't-1', subject, until: NOW + 600_000, missing: ['b'] };
  const shown = { id: 't-1', userId: 42, place: null, until: '2026-11-22T15:59:35.642' };

  it('begins a trace of a user or a place, and audits it', async () => {
    const given: unknown[] = [];
    const { url, audited } = await serveService({
      beginTrace: async (admin, trace) => {
        given.push([admin, trace]);
        return begun;
      },
    });
    const at = `${url}/chat-server/service/traces`;
    expect(await json(fetch(at, post({ userId: '42' })))).toEqual({ status: 201, body: { ...shown, missing: ['b'] } });
    await fetch(at, post({ place: 'com-1', minutes: 3, nonce: 'n' }));
    expect(given).toEqual([
      ['ops', { subject, minutes: 10, nonce: null }],
      ['ops', { subject: { kind: 'place', place: 'com-1' }, minutes: 3, nonce: 'n' }],
    ]);
    expect(audited).toEqual([
      { admin: 'ops', call: 'beginTrace', userId: 42, id: 't-1', outcome: 'done' },
      { admin: 'ops', call: 'beginTrace', place: 'com-1', id: 't-1', outcome: 'done' },
    ]);
  });

  it.each([
    [{}, 'the body must have either userId or place'],
    [{ userId: 1, place: 'r-5' }, 'the body must have either userId or place'],
    [{ place: 'x' }, 'place must be like r-5, c-11 or com-1'],
    [{ userId: 1, minutes: 11 }, 'minutes must be a whole number from 1 to 10'],
  ])('refuses the trace %j', async (body, message) => {
    const { url } = await serveService({});
    const answer = await json(fetch(`${url}/chat-server/service/traces`, post(body)));
    expect(answer).toEqual({ status: 400, body: { code: 2100, message } });
  });

  it('streams the lines of a trace with their times as text', async () => {
    const step = traceStep({ step: 'sent', kind: 'message', userId: 42, session: 'k3', place: 'r-5' }, NOW);
    const { url, audited } = await serveService({
      readTrace: async () => ({
        async *lines() {
          yield { type: 'begin', id: 't-1', subject, until: NOW + 600_000, servers: ['a'], missing: [] };
          yield { type: 'step', server: 'a', ...step };
          yield { type: 'dropped', server: 'a', count: 3 };
          yield { type: 'end', reason: 'time' };
        },
        close: () => {},
      }),
    });
    const answer = await fetch(`${url}/chat-server/service/traces/t-1`, { headers: AS_OPS });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const nulls = { seq: null, messageId: null, author: null, code: null, reason: null, count: null };
    expect(
      (await answer.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { type: 'begin', ...shown, servers: ['a'], missing: [] },
      {
        type: 'step',
        time: '2026-11-22T15:49:35.642',
        server: 'a',
        step: 'sent',
        kind: 'message',
        userId: 42,
        session: 'k3',
        place: 'r-5',
        ...nulls,
      },
      { type: 'dropped', server: 'a', count: 3 },
      { type: 'end', reason: 'time' },
    ]);
    expect(audited).toEqual([{ admin: 'ops', call: 'readTrace', id: 't-1', outcome: 'done' }]);
  });

  it('answers 404 for a trace that is not there, and 409 for one that somebody reads', async () => {
    const { url } = await serveService({ readTrace: async (id) => (id === 'gone' ? null : 'taken') });
    const read = (id: string) => json(fetch(`${url}/chat-server/service/traces/${id}`, { headers: AS_OPS }));
    expect(await read('gone')).toMatchObject({ status: 404, body: { code: 4111 } });
    expect(await read('t-1')).toEqual({
      status: 409,
      body: { code: 2100, message: 'somebody reads the trace t-1 already' },
    });
  });

  it('ends the trace when the reader closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await serveService({
      readTrace: async () => ({
        async *lines() {
          yield { type: 'alive' };
          await closed.promise;
        },
        close: () => closed.resolve(),
      }),
    });
    const gone = new AbortController();
    const answer = await fetch(`${url}/chat-server/service/traces/t-1`, { headers: AS_OPS, signal: gone.signal });
    await answer.body?.getReader().read();
    gone.abort();
    await closed.promise;
  });
});
