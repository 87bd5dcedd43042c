import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const INSTALL_MS = 180_000;
const run = promisify(execFile);

/** An adapter of a foreign package, which knows the names of the package only. */
const ADAPTER = `
import type { UserId } from 'chat-server/domain';
import { type MemberCache, REPORT_STANDS_MS } from 'chat-server/ports';

export class MapMemberCache implements MemberCache {
  readonly isShared = false;
  readonly #lists = new Map<string, readonly UserId[]>();
  readonly #putAt = new Map<string, number>();
  async get(place: Parameters<MemberCache['get']>[0]): Promise<readonly UserId[] | null> {
    return this.#lists.get(place) ?? null;
  }
  async put(place: Parameters<MemberCache['put']>[0], members: readonly UserId[]): Promise<void> {
    this.#putAt.set(place, performance.now());
    this.#lists.set(place, [...members]);
  }
  async add(place: Parameters<MemberCache['add']>[0], members: readonly UserId[]): Promise<void> {
    if (!this.#lists.has(place)) this.#lists.set(place, [...members]);
  }
  async mend(place: Parameters<MemberCache['mend']>[0], members: readonly UserId[]): Promise<readonly UserId[] | null> {
    const standing = this.#lists.get(place);
    const putAt = this.#putAt.get(place);
    if (standing !== undefined && putAt !== undefined && performance.now() - putAt < REPORT_STANDS_MS) return standing;
    this.#lists.set(place, [...members]);
    return null;
  }
  async listsOf(userId: UserId): ReturnType<MemberCache['listsOf']> {
    return { lists: [...this.#lists.values()].filter((members) => members.includes(userId)).length, next: null };
  }
  async forget(userId: UserId): ReturnType<MemberCache['forget']> {
    let lists = 0;
    for (const [place, members] of this.#lists) {
      if (!members.includes(userId)) continue;
      lists += 1;
      this.#lists.set(place, members.filter((member) => member !== userId));
    }
    return { lists, next: null };
  }
}
`;

const SUITE = `
import { memberCacheContract } from 'chat-server/contracts';
import { MapMemberCache } from './adapter.ts';

memberCacheContract('a map', async () => ({ cache: new MapMemberCache(), stop: async () => {} }));
`;

const PROGRAM = `
import { ChatServer, readConfig } from 'chat-server/bootstrap';
import { encodeRecord } from 'chat-server/records';
import { MapMemberCache } from './adapter.ts';

if (typeof encodeRecord !== 'function') throw new Error('the record format is missing');
const { config, secrets } = readConfig(process.env);
const server = await ChatServer.start({ config, secrets, adapters: { memberCache: () => new MapMemberCache() } });
process.once('SIGTERM', () => void server.stop());
`;

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    types: ['node'],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
  },
  include: ['*.ts', 'redis-message-bus/*.ts'],
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-package-'));
  const own = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT });
  const tarball = packed.stdout.trim().split('\n').at(-1) ?? '';
  const { vitest, typescript, '@types/node': types } = own.devDependencies;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const wanted = [`./${tarball}`, `vitest@${vitest}`, `typescript@${typescript}`, `@types/node@${types}`];
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...wanted], { cwd: folder });
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await writeFile(join(folder, 'adapter.ts'), ADAPTER);
  await writeFile(join(folder, 'adapter.test.ts'), SUITE);
  await writeFile(join(folder, 'program.ts'), PROGRAM);
  await cp(join(ROOT, 'examples/redis-message-bus'), join(folder, 'redis-message-bus'), { recursive: true });
}, INSTALL_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

it('starts the server of an installed package, with its pages and its database', async () => {
  const main = join(folder, 'node_modules/.bin/chat-server');
  const env = { DEMO: 'on', ADMIN_TOKENS: `ops:${'x'.repeat(32)}` };
  const server = await ServerProcess.start({ main, mainArgs: ['start'], env });
  onTestFinished(() => server.dispose());
  const html = await (await fetch(server.url)).text();
  const [, script] = /<script type="module" src="([^"]+)"/.exec(html) ?? [];
  for (const path of [`/${script}`, '/admin/', '/admin/app.js', '/openapi.json', '/asyncapi.json']) {
    expect((await fetch(`${server.url}${path}`)).status).toBe(200);
  }
  expect(await server.stop()).toBe('exit code 0');
});

it('runs the commands of an installed package by npx', async () => {
  const npx = (...words: string[]) => run('npx', ['--no-install', 'chat-server', ...words], { cwd: folder });
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  expect((await npx('--version')).stdout.trim()).toBe(version);
  expect((await npx('check', '--connect')).stdout).toContain('all parts answer');
  await expect(npx('start', '--no-such-option')).rejects.toMatchObject({ code: 2 });
});

it('starts a server with a foreign adapter by the exports of the package', async () => {
  const server = await ServerProcess.start({ main: join(folder, 'program.ts') });
  onTestFinished(() => server.dispose());
  expect(await server.isReady()).toBe(true);
});

it('type-checks foreign adapters, the example among them, against the declarations of the package', async () => {
  const tsc = join(folder, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', '.'], { cwd: folder });
  expect(stdout).toBe('');
});

it('runs a contract suite of the package over a foreign adapter', async () => {
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  const { VITEST: _, ...env } = process.env;
  const { stdout } = await run(process.execPath, [vitest, 'run'], { cwd: folder, env: { ...env, NO_COLOR: '1' } });
  expect(stdout).toMatch(/Tests {2}\d+ passed \(\d+\)/);
});
