import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findProgram } from '../../dev/services/programs.ts';
import { PROXIES, type RunningProxy, startProxy } from '../../dev/services/proxies.ts';
import { describeWhen } from '../../dev/services/shared.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const ADMIN_TOKEN = randomBytes(16).toString('hex');
const SESSIONS = 6;
/** A client whose address differs from the proxy's. */
const CLIENT_ADDRESS = '127.0.0.2';
const MEGABYTE = 1024 * 1024;
const WAIT = { timeout: 10_000, interval: 50 };
const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));

let users = 100;
/** A user who has no sessions yet. */
const newUser = () => ++users;

let systems: [EmbeddedSystem, EmbeddedSystem];
const system = () => systems[0];

/** Two servers that know nothing of each other: so a request at the wrong one fails. */
beforeAll(async () => {
  const env = {
    JWT_SECRET: randomBytes(48).toString('base64'),
    ADMIN_TOKENS: `ops:${ADMIN_TOKEN}`,
    TRUSTED_PROXIES: '127.0.0.1/32',
    LIMIT_CONTENT_CHARS: '60000',
    LIMIT_UPLOAD_BYTES: String(6 * MEGABYTE),
  };
  systems = await Promise.all([startSystem(env), startSystem(env)]);
});
afterAll(() => Promise.all((systems ?? []).map((one) => one.stop())));

interface ShownSession {
  readonly address: string;
  readonly transport: string;
}

/** The sessions of a user on one server, past the proxy. */
async function sessionsOn({ url }: EmbeddedSystem, userId: number): Promise<ShownSession[]> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const answer = await fetch(`${url}/chat-server/service/users/${userId}/sessions`, { headers });
  return ((await answer.json()) as { sessions: ShownSession[] }).sessions;
}

async function connect(url: string, userId: number): Promise<StompClient> {
  const client = await StompClient.connect({ url, token: system().token(userId), userId });
  onTestFinished(() => client.cut());
  return client;
}

/** A SockJS session over HTTP. */
class SockJsSession {
  text = '';
  readonly #base: string;
  readonly #opened: Promise<ClientRequest>;

  constructor(url: string, transport: string) {
    this.#base = `${url}/my-chat/000/${randomBytes(8).toString('hex')}`;
    const method = transport === 'eventsource' ? 'GET' : 'POST';
    this.#opened = this.#ask(`/${transport}`, method, '', (response) => {
      response.setEncoding('utf8').on('data', (data: string) => {
        this.text += data;
      });
    });
    onTestFinished(async () => void (await this.#opened).destroy());
  }

  /** Waits for the session and connects a STOMP session in it. */
  async connect(token: string): Promise<void> {
    await this.until(/^(data: )?o\r?$/m);
    await this.send(`CONNECT\naccept-version:1.2\nheart-beat:0,0\naccess-token:${token}\n\n\0`);
    await this.until(/CONNECTED/);
  }

  async send(frame: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    await this.#ask('/xhr_send', 'POST', JSON.stringify([frame]), (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    expect(await promise).toBe(204);
  }

  async until(pattern: RegExp): Promise<void> {
    await vi.waitFor(() => expect(this.text).toMatch(pattern), WAIT);
  }

  #ask(path: string, method: string, body: string, take: (response: IncomingMessage) => void): Promise<ClientRequest> {
    const { promise, resolve, reject } = Promise.withResolvers<ClientRequest>();
    const headers = { 'content-type': 'text/plain', 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' };
    const asked = request(`${this.#base}${path}`, { method, localAddress: CLIENT_ADDRESS, headers });
    asked.on('response', (response) => {
      response.on('error', () => undefined);
      take(response);
      resolve(asked);
    });
    asked.on('error', reject);
    asked.end(body);
    return promise;
  }
}

for (const plan of PROXIES) {
  await describeWhen(plan.name, async () => {
    findProgram(plan.name, plan.hint);
    return () => {
      let proxy: RunningProxy;
      beforeAll(async () => {
        proxy = await startProxy(plan, [systems[0].server.port, systems[1].server.port]);
      });
      afterAll(() => proxy?.stop());

      it('passes WebSockets with large frames and large headers in both directions', async () => {
        const client = await StompClient.connect({
          url: proxy.url,
          token: system().token(1),
          headers: { cookie: `c=${'x'.repeat(9_000)}` },
        });
        onTestFinished(() => client.cut());
        const room = await client.subscribe('/topic/direct/5');
        const content = 'x'.repeat(60_000);
        await client.send('/kafka/send-direct-message', { channelId: 5, userId: 1, name: 'user1', content });
        expect(await room.next(({ message }) => message === content)).toMatchObject({ userId: '1' });
      });

      it.each(['xhr_streaming', 'eventsource'])(
        'sends all requests of a SockJS session over %s to its server',
        async (transport) => {
          const sessions = Array.from({ length: SESSIONS }, () => new SockJsSession(proxy.url, transport));
          const userId = newUser();
          await Promise.all(sessions.map((session) => session.connect(system().token(userId))));
          const shown = (await Promise.all(systems.map((one) => sessionsOn(one, userId)))).flat();
          expect(shown).toHaveLength(SESSIONS);
          for (const { address } of shown) expect(address).toBe(CLIENT_ADDRESS);
          for (const session of sessions) await session.send('DISCONNECT\nreceipt:bye\n\n\0');
          for (const session of sessions) await session.until(/receipt-id:bye/);
        },
      );

      it('passes uploads up to the limit of the server, which answers larger ones itself', async () => {
        const upload = async (bytes: number) => {
          const form = new FormData();
          form.append('channelId', '5');
          form.append('fileType', 'file');
          form.append('image', new Blob([Buffer.alloc(bytes)]), 'a.bin');
          const headers = { authorization: system().token(1) };
          const answer = await fetch(`${proxy.url}/chat-server/file`, { method: 'POST', headers, body: form });
          return (await answer.json()) as { code: number; result?: { message: string } };
        };
        const { result } = await upload(5 * MEGABYTE);
        // The link has the address of the proxy.
        expect(new URL(result?.message ?? '').origin).toBe(proxy.url);
        expect(await upload(7 * MEGABYTE)).toMatchObject({ code: 2413 });
      });

      it.each(['/metrics', '/admin/', '/chat-server/service/bans', '/chat-server/%73ervice/bans', '/METRICS'])(
        'does not pass %s on to a server',
        async (path) => {
          const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
          const answer = await fetch(`${proxy.url}${path}`, { headers });
          await answer.body?.cancel();
          expect(answer.status).toBe(404);
        },
      );

      it('moves clients to the other server while one drains, and uses both again afterwards', async () => {
        const places = async (userId: number) =>
          Promise.all(systems.map(async (one) => (await sessionsOn(one, userId)).length));
        const users = [newUser(), newUser(), newUser(), newUser()];
        const clients = await Promise.all(users.map((userId) => connect(proxy.url, userId)));
        const before = await Promise.all(users.map(places));
        const here = users.filter((_, i) => before[i]?.[0] === 1);
        expect(here.length).toBeGreaterThan(0);
        expect(here.length).toBeLessThan(users.length);
        const stopped = systems[0].server.stop();
        const ends = await Promise.all(here.map((userId) => clients[users.indexOf(userId)]?.closed));
        expect(ends.map((end) => end?.code)).toEqual(here.map(() => 1012));
        for (const userId of here) await connect(proxy.url, userId);
        expect(await stopped).toBe('exit code 0');
        for (const userId of users) expect((await sessionsOn(systems[1], userId)).length).toBe(1);
        await systems[0].server.restart();
        await vi.waitFor(async () => {
          const userId = newUser();
          await connect(proxy.url, userId);
          expect(await sessionsOn(systems[0], userId)).toHaveLength(1);
        }, WAIT);
      });
    };
  });
}

describe('idle timeouts', () => {
  it('are longer than any heart-beat interval', async () => {
    const read = (file: string) => readFile(`${DEPLOY}${file}`, 'utf8');
    const nginx = await read('nginx.conf');
    for (const name of ['proxy_read_timeout', 'proxy_send_timeout']) expect(nginx).toContain(`${name} 1h;`);
    const haproxy = await read('proxies/haproxy.cfg');
    for (const name of ['client', 'server', 'tunnel']) expect(haproxy).toContain(`timeout ${name} 1h`);
    // Caddy has no idle timeout of its own for connections in use.
    expect(await read('proxies/Caddyfile')).not.toMatch(/\b(write|read_timeout|write_timeout|stream_timeout)\b/);
  });
});
