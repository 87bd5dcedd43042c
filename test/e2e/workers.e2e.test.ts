import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { describeWithService } from '../../dev/services/shared.ts';

/** Enough sessions that each of two workers gets requests of the other one's sessions. */
const SESSIONS = 12;

await describeWithService(['kafka', 'mongo', 'redis'], 'a server of two workers', () => {
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster({ servers: 1, env: { WORKERS: '2' } });
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
});
