import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Authority } from '../../dev/services/certificates.ts';
import { startMongo } from '../../dev/services/mongo.ts';
import { startRedis } from '../../dev/services/redis.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { APP_NAME, MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { parseRedisUrl } from '../../src/adapters/redis/location.ts';
import { RedisMemberCache } from '../../src/adapters/redis/member-cache.ts';
import { refusedBy } from '../../src/bootstrap/refused.ts';
import { startFailure } from '../../src/bootstrap/start-failure.ts';

const PASSWORD = 'a-password-that-nobody-sees';
const IN_TIME = 30_000;

await describeWithOwnService('redis', 'with a Redis user of few rights', () => {
  it('keeps lists with the rights of the documentation, and names the variable of a wrong password', async () => {
    const redis = await startRedis({ own: true });
    const admin = new Redis(redis.url);
    const rights = [
      '~R*',
      '~CH*',
      '~{R*',
      '~{CH*',
      '+get',
      '+set',
      '+del',
      '+exists',
      '+eval',
      '+scan',
      '+info',
      '+select',
    ];
    await admin.call('ACL', 'SETUSER', 'chat', 'on', `>${PASSWORD}`, ...rights);
    const refusals: string[] = [];
    const cacheOf = (login: string): RedisMemberCache => {
      const location = parseRedisUrl(redis.url.replace('//', `//${login}@`));
      if (location === null) throw new Error('the URL is not one of Redis');
      return new RedisMemberCache({ location, onDown: (error) => void refusals.push(error) });
    };
    const cache = cacheOf(`chat:${PASSWORD}`);
    const wrong = cacheOf('chat:x');
    try {
      for (const place of ['r-5', 'com-1'] as const) {
        await vi.waitFor(async () => {
          await cache.put(place, [1]);
          expect(await cache.get(place)).toEqual([1]);
        }, IN_TIME);
        expect(await cache.mend(place, [1, 2])).toEqual([1]);
      }
      await cache.add('r-6', [3]);
      expect(await cache.get('r-6')).toEqual([3]);
      expect(await cache.forget(3, null)).toEqual({ lists: 1, next: null });
      expect(await cache.get('r-6')).toEqual([]);
      await vi.waitFor(() => expect(refusals.length).toBeGreaterThan(0), IN_TIME);
      expect(refusedBy('REDIS_URL', refusals[0])).toEqual({
        variable: 'REDIS_URL',
        text: 'Redis refuses the user or the password',
      });
      expect(refusals.join()).not.toContain(PASSWORD);
    } finally {
      await Promise.all([cache.close(), wrong.close()]);
      admin.disconnect();
      await redis.stop();
    }
  }, 60_000);
});

await describeWithOwnService('mongo', 'with a MongoDB that has TLS and users of few rights', () => {
  let folder: string;
  let authority: Authority;
  let mongo: Awaited<ReturnType<typeof startMongo>>;
  const loginUrl = (user: string, password: string, caFile = authority.pair.certPath): string =>
    mongo.url
      .replace('//', `//${user}:${password}@`)
      .replace('/?', '/chat?')
      .concat(`&tls=true&authSource=admin&tlsCAFile=${encodeURIComponent(caFile)}`);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-test-mongo-tls-'));
    authority = await Authority.create(folder);
    const { bothPath } = await authority.issue('mongo', 'IP:127.0.0.1');
    const keyFile = join(folder, 'keyfile');
    await writeFile(keyFile, 'a'.repeat(64), { mode: 0o600 });
    // A connection without TLS and password from this machine prepares the users.
    const args = [
      '--tlsMode',
      'preferTLS',
      '--tlsCertificateKeyFile',
      bothPath,
      '--tlsCAFile',
      authority.pair.certPath,
    ];
    args.push('--tlsAllowConnectionsWithoutCertificates', '--keyFile', keyFile);
    args.push('--setParameter', 'authenticationMechanisms=SCRAM-SHA-256');
    mongo = await startMongo({ own: true, args });
    const setUp = new MongoClient(mongo.url);
    await setUp.db('admin').command({ createUser: 'root', pwd: PASSWORD, roles: ['root'] });
    await setUp.close();
    const root = new MongoClient(loginUrl('root', PASSWORD));
    const privileges = [{ resource: { cluster: true }, actions: ['inprog', 'killAnySession'] }];
    await root.db('admin').command({ createRole: 'endAbandoned', privileges, roles: [] });
    const roles = [{ role: 'readWrite', db: 'chat' }, 'endAbandoned'];
    await root.db('admin').command({ createUser: 'chat', pwd: PASSWORD, roles });
    await root.db('admin').command({ createUser: 'reader', pwd: PASSWORD, roles: [{ role: 'read', db: 'chat' }] });
    await root.close();
  }, 60_000);

  afterAll(async () => {
    await mongo?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const outcome = async (url: string): Promise<string> => {
    try {
      await (await MongoDatabase.connect(url)).close();
      return 'started';
    } catch (error) {
      return startFailure({ variable: 'MONGODB_URL' }, error).message;
    }
  };

  it('connects, creates the indexes and ends sessions with the rights of the documentation', async () => {
    const database = await MongoDatabase.connect(loginUrl('chat', PASSWORD));
    try {
      await database.positions.insertOne({} as never);
      const admin = database.client.db('admin');
      const session = database.client.startSession();
      const stages = [{ $currentOp: { idleSessions: true } }, { $match: { appName: APP_NAME } }];
      await admin.aggregate(stages, { readConcern: { level: 'local' } }).toArray();
      const { id } = session;
      expect(await admin.command({ killSessions: [{ id: id?.id }] })).toMatchObject({ ok: 1 });
      await session.endSession();
    } finally {
      await database.close();
    }
  });

  it.each<[string, 'expired' | 'wrongName', string]>([
    ['an expired certificate', 'expired', 'MONGODB_URL: the certificate has expired'],
    ['a certificate for another name', 'wrongName', 'MONGODB_URL: the certificate is for another name'],
  ])('names MONGODB_URL for %s', async (_, kind, expected) => {
    const names = kind === 'expired' ? 'IP:127.0.0.1' : 'DNS:elsewhere.example';
    const { cert, key } = await authority.issue(kind, names, { isExpired: kind === 'expired' });
    const target = Number(new URL(mongo.url).port);
    const front = createServer({ cert, key }, (socket) => {
      const inner = connect(target, '127.0.0.1');
      socket.on('error', () => inner.destroy());
      inner.on('error', () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    const { port } = front.address() as AddressInfo;
    try {
      expect(await outcome(loginUrl('chat', PASSWORD).replace(`:${target}`, `:${port}`))).toBe(expected);
    } finally {
      front.close();
    }
  });

  it('names MONGODB_URL for a wrong password, an unknown authority and a user without rights', async () => {
    const stranger = await Authority.create(folder, 'stranger');
    expect(await outcome(loginUrl('chat', 'x'))).toBe('MONGODB_URL: MongoDB refuses the user or the password');
    expect(await outcome(loginUrl('chat', PASSWORD, stranger.pair.certPath))).toMatch(
      /^MONGODB_URL: an unknown authority has signed the certificate$/,
    );
    const withoutRights = await outcome(loginUrl('reader', PASSWORD));
    expect(withoutRights).toMatch(/^MONGODB_URL: not authorized on chat to execute command/);
    expect(withoutRights).not.toContain(PASSWORD);
  });
});
