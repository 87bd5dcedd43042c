import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cached, run } from './package-cache.ts';
import { ServiceUnavailable } from './service.ts';

const SERVICE = 'images';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DISTRIBUTION = 'bookworm';
const BASE = 'localhost/node-base';
const BUILD_MS = 15 * 60_000;
const START_MS = 60_000;
const POLL_MS = 100;

/** The parts of an image's configuration that the tests use. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[];
  readonly StopSignal?: string;
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

export interface BuiltImage {
  readonly name: string;
  readonly config: ImageConfig;
  /** Bytes of the layers above the base image, without compression. */
  readonly ownBytes: number;
}

export interface StartOptions {
  /** Variables besides those of the image. */
  readonly env: Readonly<Record<string, string>>;
  /** In place of the command of the image. */
  readonly command?: readonly string[];
  /** Prepares the files of the container. */
  readonly before?: (root: string) => Promise<void>;
}

/**
 * Builds and starts the images of the Dockerfile without a Docker engine: with buildah, as root.
 */
export class ImageWorkshop {
  readonly #folder: string;
  readonly #containers: RunningContainer[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Makes the base image: Debian, this Node.js and npm.
   * @throws ServiceUnavailable without root, buildah or mmdebstrap
   */
  static async open(): Promise<ImageWorkshop> {
    if (process.getuid?.() !== 0) throw new ServiceUnavailable(SERVICE, 'buildah is only used by root');
    for (const tool of ['buildah', 'mmdebstrap']) await run(SERVICE, tool, ['--version']);
    const workshop = new ImageWorkshop(await mkdtemp(join(tmpdir(), 'chat-test-images-')));
    try {
      await workshop.#makeBase();
    } catch (error) {
      await workshop.close();
      throw error;
    }
    return workshop;
  }

  /** Builds a target of the Dockerfile. @throws Error with the end of the output */
  async build(target: string): Promise<BuiltImage> {
    const how = ['--format', 'docker', '--isolation', 'chroot', '--network', 'host', '--pull-never'];
    await this.#buildah('bud', ...how, '--build-arg', `NODE_IMAGE=${BASE}`, '--target', target, '--tag', target, ROOT);
    const { Docker, Manifest } = JSON.parse(await this.#buildah('inspect', '--type', 'image', target)) as {
      Docker: { config: ImageConfig };
      Manifest: string;
    };
    const { layers } = JSON.parse(Manifest) as { layers: readonly { readonly size: number }[] };
    const ownBytes = layers.slice(1).reduce((sum, { size }) => sum + size, 0);
    return { name: target, config: Docker.config, ownBytes };
  }

  /**
   * Starts a container of the image with its own user and command.
   */
  async start(image: BuiltImage, options: StartOptions): Promise<RunningContainer> {
    const id = (await this.#buildah('from', '--pull-never', image.name)).trim();
    const root = (await this.#buildah('mount', id)).trim();
    await options.before?.(root);
    const env = Object.entries(options.env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const inside = [...this.#args('run', '--isolation', 'chroot', '--network', 'host'), ...env, id, '--'];
    const container = new RunningContainer(root, inside, options.command ?? image.config.Cmd);
    this.#containers.push(container);
    return container;
  }

  /** Ends all containers and removes all images. */
  async close(): Promise<void> {
    await Promise.all(this.#containers.map((container) => container.kill()));
    await this.#buildah('rm', '--all').catch(() => {});
    await this.#buildah('rmi', '--all', '--force').catch(() => {});
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #makeBase(): Promise<void> {
    const tar = join(
      await cached(`debian-${DISTRIBUTION}`, (folder) =>
        run(SERVICE, 'mmdebstrap', [
          ...['--quiet', '--variant=minbase', '--include=ca-certificates'],
          ...[DISTRIBUTION, join(folder, 'root.tar')],
        ]),
      ),
      'root.tar',
    );
    const id = (await this.#buildah('from', 'scratch')).trim();
    const root = (await this.#buildah('mount', id)).trim();
    await run(SERVICE, 'tar', ['-xf', tar, '-C', root]);
    await copyFile(process.execPath, join(root, 'usr/local/bin/node'));
    await mkdir(join(root, 'usr/local/lib/node_modules'), { recursive: true });
    await run(SERVICE, 'cp', ['-r', await folderOfNpm(), join(root, 'usr/local/lib/node_modules/npm')]);
    const link = '../lib/node_modules/npm/bin/npm-cli.js';
    await run(SERVICE, 'ln', ['-s', link, join(root, 'usr/local/bin/npm')]);
    await run(SERVICE, 'chroot', [root, 'useradd', '--create-home', '--uid', '1000', '--user-group', 'node']);
    const authorities = process.env.NODE_EXTRA_CA_CERTS;
    if (authorities !== undefined) {
      await copyFile(authorities, join(root, 'etc/ssl/extra-authorities.pem'));
      await this.#buildah('config', '--env', 'NODE_EXTRA_CA_CERTS=/etc/ssl/extra-authorities.pem', id);
    }
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    await this.#buildah('config', '--env', `PATH=${path}`, id);
    await this.#buildah('commit', '--quiet', '--rm', id, BASE);
  }

  #args(...args: readonly string[]): string[] {
    const at = ['--root', join(this.#folder, 'images'), '--runroot', join(this.#folder, 'run')];
    return [...at, '--storage-driver', 'vfs', ...args];
  }

  #buildah(...args: readonly string[]): Promise<string> {
    return output('buildah', this.#args(...args));
  }
}

/** A process in the files of an image, with the network of this machine. */
export class RunningContainer {
  /** Folder of the container's files on this machine. */
  readonly root: string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  readonly #inside: readonly string[];
  readonly #process: ChildProcess;
  #log = '';

  constructor(root: string, inside: readonly string[], command: readonly string[]) {
    this.root = root;
    this.#inside = inside;
    const shell = ['sh', '-c', 'echo $$ > /tmp/main.pid; exec "$@"', 'sh'];
    this.#process = spawn('buildah', [...inside, ...shell, ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#log += chunk.toString();
      });
    }
    this.ended = new Promise((resolve) => this.#process.once('close', resolve));
  }

  get log(): string {
    return this.#log;
  }

  /**
   * Runs a command beside the main process, with the same variables. Resolves with an empty text if
   * it ends with 0, otherwise with its output.
   */
  exec(command: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      execFile('buildah', [...this.#inside, ...command], (error, stdout, stderr) =>
        resolve(error === null ? '' : `${error.message}\n${stdout}\n${stderr}`),
      );
    });
  }

  /** Resolves when `command` ends with 0. @throws Error with the log if it does not in time */
  async until(command: readonly string[]): Promise<void> {
    const deadline = Date.now() + START_MS;
    while ((await this.exec(command)) !== '') {
      if (Date.now() > deadline) throw new Error(`not healthy within ${START_MS / 1_000} s:\n${this.#log}`);
      await delay(POLL_MS);
    }
  }

  /** Sends a signal to the main process. */
  async signal(name: NodeJS.Signals): Promise<void> {
    process.kill(Number(await readFile(join(this.root, 'tmp/main.pid'), 'utf8')), name);
  }

  /** Ends the main process if it still runs. */
  async kill(): Promise<void> {
    if (this.#process.exitCode === null) await this.signal('SIGKILL').catch(() => this.#process.kill('SIGKILL'));
    await this.ended;
  }
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: BUILD_MS, maxBuffer: 64 * 1024 * 1024 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const printed = `${stdout}\n${stderr}`.trim().split('\n').slice(-20).join('\n');
      reject(new Error(`${program} ${args.at(-1)} failed: ${printed || error.message}`));
    });
  });
}

/**
 * The package of npm that is on the PATH. npm itself looks for it beside Node.js, and finds nothing
 * there if Node.js is a package of this repository.
 * @throws ServiceUnavailable
 */
async function folderOfNpm(): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const main = await realpath(join(folder, 'npm')).catch(() => null);
    if (main?.endsWith('npm-cli.js')) return dirname(dirname(main));
  }
  throw new ServiceUnavailable(SERVICE, 'npm is not on the PATH');
}
