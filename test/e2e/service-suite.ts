import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { ServerProcess } from '../../dev/server-process.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import type { Directory } from '../../neighbours/stand-ins/directory.ts';
import { codeOf } from '../support/answer-code.ts';

const TOKEN = 'a token of operations for this test only'.replaceAll(' ', '-');

/** The variables that every server of the suite needs. */
export const SERVICE_ENV = { LIMITS: 'off', ADMIN_TOKENS: `ops:${TOKEN}` };

export const SERVICE_WORLD: Directory = {
  users: { 1: { name: 'Ada', image: null }, 2: { name: 'Grace', image: null }, 3: { name: 'Linus', image: null } },
  rooms: { 5: [1, 2, 3], 6: [1, 2, 3], 7: [1, 2, 3], 8: [1, 2, 3] },
  communities: {},
};

/** The servers of one cluster, or one server. */
export interface ServiceSystem {
  readonly servers: readonly ServerProcess[];
  token(userId: number): string;
  stop(): Promise<void>;
}

const WITHIN_MS = 2_000;
const DESTINATION = '/kafka/send-direct-message';

/** The service API as an operator uses it, at servers on any adapters. */
export function serviceSuite(start: () => Promise<ServiceSystem>): void {
  let system: ServiceSystem;
  beforeAll(async () => {
    system = await start();
  });
  afterAll(() => system?.stop());

  const urlOf = (server: number): string => system.servers.at(server)?.url ?? '';
  const everyServer = () => system.servers.map((_, index) => index);

  async function connect(server: number, userId: number): Promise<StompClient> {
    const client = await StompClient.connect({ url: urlOf(server), token: system.token(userId) });
    onTestFinished(() => client.cut());
    await client.subscribe('/user/queue/errors', { id: 'errors' });
    return client;
  }

  /** Calls the service API at that server; -1: at the last one. */
  async function call(server: number, method: string, path: string, body?: object) {
    const answer = await fetch(`${urlOf(server)}/chat-server/service/${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  const say = (client: StompClient, roomId: number, userId: number, more: object = {}) =>
    client.send(DESTINATION, {
      channelId: roomId,
      userId,
      name: 'x',
      profileImage: null,
      content: 'a secret text',
      ...more,
    });

  async function historyCode(server: number, userId: number): Promise<number> {
    const headers = { AUTHORIZATION: system.token(userId) };
    return codeOf(await fetch(`${urlOf(server)}/chat-server/direct?ch_id=5`, { headers }));
  }

  it('ends the sessions of a banned user within 2 s, and refuses them on every server, also after a restart', async () => {
    const clients = await Promise.all(everyServer().map((server) => connect(server, 2)));
    const other = await connect(-1, 1);
    const began = performance.now();
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await call(0, 'PUT', 'bans/2', { until, reason: 'spam' })).status).toBe(200);
    await Promise.all(clients.map(({ closed }) => closed));
    expect(performance.now() - began).toBeLessThan(WITHIN_MS);
    for (const { frames } of clients) {
      expect(frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { code: '2103' } });
    }
    await system.servers.at(-1)?.restart();
    for (const server of everyServer()) {
      await expect(connect(server, 2)).rejects.toThrow('2103');
      expect(await historyCode(server, 2)).toBe(2103);
    }
    if (system.servers.length > 1) expect(other.frames.some(({ command }) => command === 'ERROR')).toBe(false);
    expect((await call(-1, 'GET', 'bans')).body).toMatchObject([{ userId: 2, reason: 'spam', admin: 'ops' }]);
    await call(-1, 'DELETE', 'bans/2');
    for (const server of everyServer()) await expect.poll(() => historyCode(server, 2)).toBe(1000);
    await connect(0, 2);
  });

  it('refuses the messages of a muted user on every server within 2 s, but not their deletions', async () => {
    const client = await connect(-1, 3);
    const { headers } = await say(client, 5, 3);
    await call(0, 'PUT', 'mutes/3', { place: 'r-5', until: null });
    const code = () =>
      say(client, 5, 3).then(
        () => 0,
        (error: Error) => Number(/"code":(\d+)/.exec(error.message)?.[1]),
      );
    await expect.poll(code, { timeout: WITHIN_MS }).toBe(2103);
    await say(client, 6, 3);
    const target = { id: headers['message-id'], userId: 3, channelId: 5, type: 'delete' };
    await client.send('/kafka/send-direct-delete', target);
    await call(0, 'DELETE', 'mutes/3?place=r-5');
    await expect.poll(code, { timeout: WITHIN_MS }).toBe(0);
  });

  it('holds slow mode over all servers, and says when the next message may come', async () => {
    const [here, there] = [await connect(0, 1), await connect(-1, 1)];
    await call(0, 'PUT', 'places/r-7/slow-mode', { seconds: 600 });
    await expect
      .poll(async () => (await call(-1, 'GET', 'slow-modes')).body, { timeout: WITHIN_MS })
      .toMatchObject([{ place: 'r-7', seconds: 600 }]);
    await say(here, 7, 1);
    await expect(say(there, 7, 1)).rejects.toThrow(/"code":2429.*"retry-after-ms":5\d{5}/);
    await call(0, 'PUT', 'places/r-7/slow-mode', { seconds: 0 });
  });

  it('sends a message in the name of a user once for a nonce, and deletes it again', async () => {
    const reader = await connect(-1, 2);
    const heard = await reader.subscribe('/topic/direct/8');
    const message = { place: 'r-8', userId: 1, content: 'a secret text', nonce: 'parcel-77' };
    const sent = await call(0, 'POST', 'messages', message);
    expect(await call(-1, 'POST', 'messages', message)).toEqual(sent);
    const { id } = sent.body;
    expect((await call(-1, 'DELETE', `messages/${id}?place=r-8`)).status).toBe(200);
    // Somebody of an earlier test may still be going offline.
    expect(await heard.atLeast(2, ({ seq }) => seq !== undefined)).toMatchObject([
      { type: 'message', id, userId: '1', name: 'Ada', message: 'a secret text', seq: 1 },
      { type: 'delete', id, seq: 2 },
    ]);
    expect(await call(0, 'DELETE', `messages/${id}?place=r-8`)).toMatchObject({ status: 404, body: { code: 4111 } });
  });

  it('shows the sessions of a user, the people of a place and the servers, from any server', async () => {
    const clients = await Promise.all(everyServer().map((server) => connect(server, 3)));
    await Promise.all(clients.map((client) => client.subscribe('/topic/direct/6')));
    const session = { address: '127.0.0.1', transport: 'raw-websocket', places: ['r-6'], subscriptions: 2 };
    await expect
      .poll(async () => (await call(-1, 'GET', 'users/3/sessions')).body)
      .toMatchObject({ sessions: clients.map(() => session), missing: [] });
    expect((await call(-1, 'GET', 'places/r-6/presence')).body).toMatchObject({ subscribed: [3], missing: [] });
    const { body } = await call(0, 'GET', 'servers');
    expect(body).toMatchObject({
      servers: everyServer().map(() => ({ version: expect.any(String), ready: true, degraded: [] })),
      missing: [],
    });
    const ended = (await call(0, 'POST', 'disconnect', { userId: 3 })).body as { readonly sessions: number };
    // The server may not have heard of sessions that have just begun elsewhere. It ends them too.
    expect(ended.sessions).toBeGreaterThan(0);
    expect(ended.sessions).toBeLessThanOrEqual(clients.length);
    await Promise.all(clients.map(({ closed }) => closed));
    await connect(-1, 3);
  });

  it('shows the busiest places of all servers, from any server', async () => {
    const clients = await Promise.all(everyServer().map((server) => connect(server, 1)));
    for (const client of clients) await client.subscribe('/topic/direct/7', { id: 'room' });
    // The first question begins to count.
    await call(0, 'GET', 'busiest-places');
    for (const client of clients) await say(client, 7, 1);
    for (const server of everyServer()) {
      const busiest = async () => (await call(server, 'GET', 'busiest-places?size=1')).body;
      const shown = { place: 'r-7', subscriptions: clients.length, eventsPerSecond: expect.any(Number) };
      await expect.poll(busiest, { timeout: WITHIN_MS * 2 }).toMatchObject({ places: [shown], missing: [] });
    }
    expect((await call(-1, 'GET', 'slow-clients')).body).toMatchObject({ leftOut: 0, missing: [] });
  });

  it('traces what a user sends and gets on every server, without texts, for a reader at any server', async () => {
    const [here, there] = [await connect(0, 1), await connect(-1, 2)];
    await here.subscribe('/topic/direct/6');
    await there.subscribe('/topic/direct/6');
    const { status, body } = await call(0, 'POST', 'traces', { userId: 1, minutes: 1 });
    expect([status, body.missing]).toEqual([201, []]);
    const gone = new AbortController();
    const answer = await fetch(`${urlOf(-1)}/chat-server/service/traces/${body.id}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: gone.signal,
    });
    const { headers } = await say(here, 6, 1);
    const messageId = headers['message-id'];
    const { headers: second } = await say(there, 6, 2);
    let text = '';
    const wanted = [`"step":"sent","kind":"message","userId":1`, `"messageId":"${second['message-id']}"`];
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (wanted.every((part) => text.includes(part))) break;
    }
    gone.abort();
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ type: 'begin', userId: 1, missing: [] });
    expect(lines[0]?.servers).toHaveLength(system.servers.length);
    expect(lines).toContainEqual(expect.objectContaining({ step: 'stored', place: 'r-6', userId: 1, messageId }));
    expect(lines).toContainEqual(expect.objectContaining({ step: 'delivered', place: 'r-6', userId: 1, author: 2 }));
    expect(text).not.toContain('a secret text');
    await expect.poll(async () => (await call(0, 'GET', `traces/${body.id}`)).status, { timeout: WITHIN_MS }).toBe(404);
  });

  it('erases a user: ends their sessions on every server and leaves nothing', async () => {
    const clients = await Promise.all(everyServer().map((server) => connect(server, 3)));
    await say(clients[0] as StompClient, 8, 3);
    await call(0, 'PUT', 'mutes/3', { place: 'r-8', until: null });
    const begun = await call(-1, 'DELETE', 'users/3?mode=erase');
    expect(begun.status).toBe(202);
    for (const { closed, frames } of clients) {
      await closed;
      expect(frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { code: '2103' } });
    }
    const job = async () => (await call(0, 'GET', `jobs/${begun.body.id}`)).body;
    await expect.poll(async () => (await job()).state, { timeout: 20_000 }).toBe('done');
    expect((await job()).counts).toMatchObject({ left: 0, sessions: clients.length });
    expect((await call(0, 'GET', 'mutes')).body).toEqual([]);
  });

  it('opens the service API neither to users nor to the private network', async () => {
    const bans = `${urlOf(0)}/chat-server/service/bans`;
    expect((await fetch(bans)).status).toBe(401);
    expect((await fetch(bans, { headers: { authorization: `Bearer ${system.token(1)}` } })).status).toBe(401);
  });

  it('writes who did what to whom, and no text', async () => {
    const logs = await Promise.all(system.servers.map(({ logFile }) => readFile(logFile, 'utf8')));
    const lines = logs.flatMap((log) => log.split('\n')).filter((line) => line.includes('"subsystem":"audit"'));
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toContainEqual(
      expect.objectContaining({ admin: 'ops', call: 'banUser', userId: 2, outcome: 'done', time: expect.anything() }),
    );
    expect(entries).toContainEqual(
      expect.objectContaining({ call: 'deleteMessage', place: 'r-8', userId: 1, outcome: 'done' }),
    );
    expect(logs.join()).not.toMatch(/a secret text|spam/);
    expect(logs.join()).not.toContain(TOKEN);
  });
}
