import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { describeWithService } from '../../dev/services/shared.ts';

const MEMBERS = [1, 2, 3, 4];
const EACH = 20;
const ROOM = 40;
const DIRECTORY = {
  users: Object.fromEntries(MEMBERS.map((id) => [String(id), { name: `name${id}`, image: null }])),
  rooms: { [ROOM]: MEMBERS },
  communities: {},
};
/** Enough sessions that each of two workers gets requests of the other one's sessions. */
const SESSIONS = 12;

await describeWithService(['kafka', 'mongo', 'redis'], 'a server of two workers', () => {
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster({ servers: 1, env: { WORKERS: '2' }, directory: DIRECTORY });
  });
  afterAll(() => cluster?.stop());

  async function call(method: string, path: string, headers: Record<string, string>, body = ''): Promise<string> {
    const port = cluster?.servers[0]?.port;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      // Each request has its own connection, so that any worker may take it.
      request({ port, method, path, headers, agent: false }, resolve).on('error', reject).end(body);
    });
    return `${answer.statusCode} ${await text(answer)}`;
  }

  it('serves SockJS over HTTP to clients that offer h2c, use the absolute form, or have long cookies', async () => {
    const offer = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
    };
    const headers = { ...offer, cookie: 'x'.repeat(15_000) };
    for (let session = 0; session < SESSIONS; session += 1) {
      const path = `/my-chat/1/workers${session}`;
      // One worker may be ready before the other one, whose sessions get 503.
      await expect.poll(() => call('POST', `${path}/xhr`, headers), { timeout: 30_000 }).toBe('200 o\n');
      expect(await call('POST', `http://chat.example${path}/xhr_send`, headers, '["\\n"]')).toBe('204 ');
      const tooLong = { ...offer, cookie: 'x'.repeat(17_000) };
      expect(await call('POST', `${path}/xhr_send`, tooLong, '["\\n"]')).toMatch(/^431 /);
    }
    expect(await call('GET', '/chat-server/health/live', headers)).toMatch(/^200 /);
  });

  it('delivers every message once and in order to clients of both workers, which all write to one room', async () => {
    if (cluster === undefined) throw new Error('the cluster has not started');
    // The parent process gives connections to the workers in turn.
    const clients = [];
    for (const id of MEMBERS) clients.push(await cluster.client(0, id));
    const heard = await Promise.all(clients.map((client) => client.subscribe(`/topic/direct/${ROOM}`)));
    await Promise.all(
      clients.map(async (client, index) => {
        const userId = index + 1;
        const body = { channelId: ROOM, userId, name: `name${userId}`, profileImage: null };
        for (let n = 0; n < EACH; n += 1) await client.send('/kafka/send-direct-message', { ...body, content: `${n}` });
      }),
    );
    const numbers = Array.from({ length: MEMBERS.length * EACH }, (_, index) => index + 1);
    for (const one of heard) {
      const messages = await one.atLeast(numbers.length, ({ type }) => type === 'message');
      expect(messages.map(({ seq }) => seq)).toEqual(numbers);
    }
    await Promise.all(clients.map((client) => client.close()));
  });
});
