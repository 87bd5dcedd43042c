import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { startCluster } from '../../dev/cluster/cluster.ts';
import type { ServerProcess } from '../../dev/server-process.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { S3Stub } from '../support/s3-stub.ts';

const USER = 1;
const ROOM = 5;
/** Enough for some seconds of work. */
const MESSAGES = 1_500;
const FILES = 5;
const ADMIN = randomBytes(16).toString('hex');
/** The lease of a dead server lasts 30 s, and servers look for jobs every 10 s. */
const RESUMED = { timeout: 120_000, interval: 250 };
const SOON = { timeout: 20_000, interval: 20 };

interface ShownJob {
  readonly id: string;
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly error: string | null;
}

await describeWithService(['kafka', 'mongo', 'redis'], 'an erasure over two servers with files in S3', () => {
  it('goes on at the other server after the first one was killed, and leaves nothing', async () => {
    const s3 = await S3Stub.start();
    onTestFinished(() => s3.stop());
    const cluster = await startCluster({
      servers: 2,
      env: {
        LIMITS: 'off',
        ADMIN_TOKENS: `ops:${ADMIN}`,
        FILES_URL: 's3://bucket/files',
        S3_ENDPOINT: s3.url,
        AWS_ACCESS_KEY_ID: 'id',
        AWS_SECRET_ACCESS_KEY: 'secret',
      },
      directory: {
        users: { 1: { name: 'Ada', image: null }, 2: { name: 'Grace', image: null } },
        rooms: { [ROOM]: [2, 3] },
        communities: {},
      },
    });
    onTestFinished(() => cluster.stop());
    const [one, two] = cluster.servers as [ServerProcess, ServerProcess];
    const redis = new Redis(cluster.env.REDIS_URL ?? '');
    onTestFinished(() => redis.disconnect());
    const call = async <T>(server: ServerProcess, method: string, path: string, body?: object): Promise<T> => {
      const answer = await fetch(`${server.url}/chat-server/service/${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN}` },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return (await answer.json()) as T;
    };
    // The community service reported the user to the servers, and does not name them any more.
    await fetch(`${one.url}/chat-server/room-user-list/${ROOM}`, { method: 'PUT', body: '[1,2,3]' });

    const ada = await cluster.client(0, USER);
    const message = { channelId: ROOM, userId: USER, name: 'Ada', profileImage: null };
    const texts = Array.from({ length: MESSAGES }, (_, i) => `secret ${i}`);
    await Promise.all(texts.map((content) => ada.send('/kafka/send-direct-message', { ...message, content })));
    for (let i = 0; i < FILES; i += 1) {
      const form = new FormData();
      form.append('channelId', String(ROOM));
      form.append('fileType', 'file');
      form.append('image', new Blob([`file ${i}`]), 'a.txt');
      const headers = { authorization: cluster.token(USER) };
      await fetch(`${one.url}/chat-server/file`, { method: 'POST', headers, body: form });
    }
    expect(s3.keys).toHaveLength(FILES);
    const away = await cluster.client(1, USER);
    await call(two, 'PUT', `mutes/${USER}`, { place: `r-${ROOM}`, until: null });
    await call(two, 'PUT', `bans/${USER}`, { until: null, reason: 'a word about Ada' });
    await Promise.all([ada.closed, away.closed]);

    const { id } = await call<ShownJob>(one, 'DELETE', `users/${USER}?mode=erase`);
    const job = () => call<ShownJob>(two, 'GET', `jobs/${id}`);
    await expect.poll(async () => (await job()).counts.messages ?? 0, SOON).toBeGreaterThan(0);
    await one.kill();
    expect(await job()).toMatchObject({ state: 'running' });
    const left = (await call<ShownJob>(two, 'GET', `jobs/${id}`)).counts.messages ?? 0;
    expect(left).toBeLessThan(MESSAGES);

    await expect.poll(async () => (await job()).state, RESUMED).toBe('done');
    expect(await job()).toMatchObject({ counts: { left: 0, listedAgain: 0 }, error: null });
    expect(s3.keys).toEqual([]);
    expect(JSON.parse((await redis.get(`R${ROOM}`)) ?? '{"members":[]}').members).not.toContain(USER);
    expect(await call(two, 'GET', 'mutes')).toEqual([]);
    expect(await call(two, 'GET', 'bans')).toMatchObject([{ userId: USER, reason: null }]);
    const answer = await fetch(`${two.url}/chat-server/service/users/${USER}/export`, {
      headers: { authorization: `Bearer ${ADMIN}` },
    });
    const lines = (await answer.text()).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['user', 'end']);
  });
});
