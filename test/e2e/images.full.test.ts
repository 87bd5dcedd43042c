import { randomBytes } from 'node:crypto';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import jsonwebtoken from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePorts } from '../../dev/services/free-port.ts';
import { type BuiltImage, ImageWorkshop, type RunningContainer } from '../../dev/services/images.ts';
import { skipOrFail } from '../../dev/services/shared.ts';
import { StompClient } from '../../dev/stomp-client.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const compose: { services: Record<string, { command?: string[]; healthcheck?: { test: string[] } }> } = parse(
  readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'),
  { merge: true },
);
const secret = randomBytes(48).toString('base64');
/**
 * MB of the layers above Node.js. More means that something got in that the server does not need.
 */
const MAX_OWN_MB = 45;

describe('the images of the Dockerfile', () => {
  let workshop: ImageWorkshop | undefined;
  let failure: unknown;
  let images: Record<'chat' | 'neighbours', BuiltImage>;
  const containers: Record<string, RunningContainer> = {};
  let url = '';

  beforeAll(async () => {
    try {
      workshop = await ImageWorkshop.open();
    } catch (error) {
      failure = error;
      return;
    }
    images = { chat: await workshop.build('chat'), neighbours: await workshop.build('neighbours') };
    const [chat = 0, presence = 0, standIns = 0] = await freePorts(3);
    url = `http://127.0.0.1:${chat}`;
    const neighbour = (name: string, port: number) =>
      workshop?.start(images.neighbours, {
        env: { HOST: '127.0.0.1', PORT: String(port), CHAT_URL: url },
        command: compose.services[name]?.command ?? [],
      });
    const started = {
      presence: await neighbour('presence', presence),
      'stand-ins': await neighbour('stand-ins', standIns),
      chat: await workshop.start(images.chat, {
        env: {
          PORT: String(chat),
          DEMO: 'on',
          JWT_SECRET_FILE: '/tmp/secret',
          SERVICE_TOKEN_FILE: '/tmp/secret',
          ADMIN_TOKENS: `ops:${randomBytes(24).toString('hex')}`,
          PRESENCE_URL: `tcp://127.0.0.1:${presence}`,
          COMMUNITY_URL: `http://127.0.0.1:${standIns}/community-server`,
          USER_URL: `http://127.0.0.1:${standIns}/user-server`,
          NOTIFICATION_URL: `http://127.0.0.1:${standIns}/notification-server`,
        },
        before: (root) => writeFile(join(root, 'tmp/secret'), `${secret}\n`),
      }),
    };
    for (const [name, container] of Object.entries(started)) if (container !== undefined) containers[name] = container;
    for (const [name, port] of [
      ['presence', presence],
      ['stand-ins', standIns],
    ] as const) {
      const [, ...command] = compose.services[name]?.healthcheck?.test ?? [];
      await containers[name]?.until(command.map((part) => part.replace(/127\.0\.0\.1\/\d+/, `127.0.0.1/${port}`)));
    }
  }, 1_200_000);
  afterAll(() => workshop?.close());

  const run = (name: string, work: () => Promise<void>) =>
    it(name, async (context) => {
      if (failure !== undefined) skipOrFail(context, failure);
      await work();
    });
  const container = (name: string): RunningContainer => {
    const found = containers[name];
    if (found === undefined) throw new Error(`${name} has not started`);
    return found;
  };

  run('starts the server without root, and its own health check says that it is ready', async () => {
    const [kind, ...check] = images.chat.config.Healthcheck?.Test ?? [];
    expect([kind, images.chat.config.User, images.chat.config.StopSignal]).toEqual(['CMD', 'node', 'SIGTERM']);
    await container('chat').until(check);
  });

  run('serves the page, and carries a message between two users', async () => {
    const page = await (await fetch(`${url}/`)).text();
    const scripts = [...page.matchAll(/src="([^"]+\.js)"/g)].map(([, path]) => String(path));
    expect(scripts.length).toBeGreaterThan(0);
    for (const path of scripts) expect((await fetch(new URL(path, `${url}/`))).status).toBe(200);
    const token = (userId: number) =>
      jsonwebtoken.sign({ id: userId, role: 'USER' }, Buffer.from(secret, 'base64'), {
        subject: `user${userId}`,
        expiresIn: 600,
      });
    const [ada, grace] = await Promise.all(
      [1, 2].map((userId) => StompClient.connect({ url, token: token(userId), userId })),
    );
    const topic = await grace?.subscribe('/topic/direct/5');
    await ada?.send('/kafka/send-direct-message', { channelId: 5, userId: 1, name: 'Ada', content: 'from an image' });
    expect(await topic?.next(({ message }) => message === 'from an image')).toMatchObject({ seq: 1, userId: '1' });
    await Promise.all([ada?.close(), grace?.close()]);
  });

  run('serves the admin page and the specifications, and has the command line', async () => {
    for (const path of ['/admin/', '/admin/app.js', '/openapi.json', '/asyncapi.json']) {
      expect({ path, status: (await fetch(`${url}${path}`)).status }).toEqual({ path, status: 200 });
    }
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const printsVersion = `[ "$(chat-server --version)" = "${version}" ]`;
    expect(await container('chat').exec(['bash', '-c', printsVersion])).toBe('');
  });

  run('has no development packages, types, source maps and tests in it', async () => {
    const app = join(container('chat').root, 'app');
    expect(readdirSync(app).sort()).toEqual(['admin', 'docs', 'node_modules', 'package.json', 'page', 'src']);
    expect(readdirSync(join(app, 'docs'))).toEqual(['public']);
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; peer?: boolean; devOptional?: boolean }>;
    };
    const installed = globSync('node_modules/{*,@*/*}/package.json', { cwd: app }).map((path) => path.slice(0, -13));
    expect(installed.length).toBeGreaterThan(50);
    const isNeeded = (path: string) => {
      const entry = packages[path];
      return entry !== undefined && entry.dev !== true && entry.optional !== true && entry.devOptional !== true;
    };
    expect(installed.filter((path) => !isNeeded(path))).toEqual([]);
    expect(globSync('node_modules/**/*.{ts,cts,mts,map}', { cwd: app })).toEqual([]);
    expect(globSync('node_modules/**/{test,tests}/', { cwd: app })).toEqual([]);
    const megabytes = Object.values(images).map(({ name, ownBytes }) => [name, Math.round(ownBytes / 1e6)] as const);
    process.stderr.write(`MB above Node.js: ${JSON.stringify(Object.fromEntries(megabytes))}\n`);
    for (const [, size] of megabytes) expect(size).toBeLessThan(MAX_OWN_MB);
  });

  run('loads every library of the server from the image', async () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const names = Object.keys(dependencies);
    const script = `await import('reflect-metadata'); for (const name of ${JSON.stringify(names)}) await import(name)`;
    expect(await container('chat').exec(['node', '--input-type=module', '--eval', script])).toBe('');
  });

  run('ends in order after SIGTERM', async () => {
    for (const name of ['chat', 'presence', 'stand-ins']) {
      await container(name).signal('SIGTERM');
      expect({ name, code: await container(name).ended }).toEqual({ name, code: 0 });
    }
    expect(container('chat').log).toMatch(/"msg":"stopping".*\n.*"msg":"stopped"/);
  });
});
