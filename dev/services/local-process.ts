import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceEngine } from './service.ts';

const TERMINATE_MS = 10_000;
const TAIL_BYTES = 4096;
/** Time in which a process stops after SIGSTOP. */
const FREEZE_MS = 2_000;

export interface LocalCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Folder of this service alone, for data and log. It is removed at the end. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

const living = new Set<LocalProcess>();
process.on('exit', () => {
  for (const service of living) service.abandon();
});

/** A service as a child process. It never outlives this process, however this process ends. */
export class LocalProcess implements ServiceEngine {
  readonly source = 'packages';
  readonly #command: LocalCommand;
  readonly #log: string;
  #child: ChildProcess | undefined;
  #guard: ChildProcess | undefined;
  #ended: string | undefined;

  constructor(command: LocalCommand) {
    this.#command = command;
    this.#log = join(command.folder, 'service.log');
  }

  get pid(): number | undefined {
    return this.#ended === undefined ? this.#child?.pid : undefined;
  }

  async start(): Promise<void> {
    const { program, args, folder, env } = this.#command;
    const log = openSync(this.#log, 'a');
    this.#ended = undefined;
    // The child has a process group of its own. So Ctrl-C reaches only the test runner, which stops
    // services in order.
    const child = spawn(program, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    this.#child = child;
    living.add(this);
    child.once('error', (error) => {
      this.#ended = error.message;
    });
    child.once('exit', (code, signal) => {
      this.#ended = signal === null ? `exit code ${code}` : signal;
      this.#dismissGuard();
    });
    // A service and its guard must not keep a finished test process alive.
    child.unref();
    if (child.pid !== undefined) this.#guard = guardOf(child.pid, folder);
  }

  /** @param withinMs time until SIGKILL */
  async terminate(withinMs = TERMINATE_MS): Promise<void> {
    this.#signal('SIGCONT');
    this.#signal('SIGTERM');
    if (!(await this.#hasExited(withinMs))) await this.kill();
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#hasExited(TERMINATE_MS);
  }

  /** Resolves when all threads have stopped. Until then, some of them may still answer. */
  async freeze(): Promise<void> {
    this.#signal('SIGSTOP');
    const until = performance.now() + FREEZE_MS;
    while (this.pid !== undefined && !hasStopped(this.pid) && performance.now() < until) await delay(1);
  }

  async thaw(): Promise<void> {
    this.#signal('SIGCONT');
  }

  ended(): string | undefined {
    return this.#ended;
  }

  async logTail(): Promise<string> {
    if (!existsSync(this.#log)) return '';
    const file = await open(this.#log);
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
      return buffer.toString('utf8', 0, bytesRead).trim();
    } finally {
      await file.close();
    }
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.#dismissGuard();
    living.delete(this);
    await rm(this.#command.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Called when a test process exits without stopping its services. It must be synchronous. */
  abandon(): void {
    this.#signal('SIGKILL');
    rmSync(this.#command.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#ended === undefined) this.#child?.kill(signal);
  }

  async #hasExited(withinMs: number): Promise<boolean> {
    const child = this.#child;
    if (child === undefined || this.#ended !== undefined) return true;
    child.ref();
    const timer = new AbortController();
    const late = delay(withinMs, false, { signal: timer.signal }).catch(() => false);
    const exit = once(child, 'exit').then(() => true);
    const exited = await Promise.race([exit, late]);
    timer.abort();
    child.unref();
    return exited;
  }

  #dismissGuard(): void {
    this.#guard?.kill('SIGKILL');
    this.#guard = undefined;
  }
}

/**
 * Starts a shell that waits until its standard input closes, which also happens when this process
 * is killed. Then it kills the service and removes its folder.
 */
function guardOf(pid: number, folder: string): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const script = 'read -r _; kill -9 "$0" 2>/dev/null; sleep 0.2; rm -rf -- "$1"';
  const guard = spawn('sh', ['-c', script, String(pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.stdin?.on('error', () => {});
  guard.unref();
  if (guard.stdin !== null && 'unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
  return guard;
}

/** True if every thread of the process is stopped. Without `/proc`, true. */
function hasStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return /\) [TtZX] /.test(stat.slice(stat.lastIndexOf(')')));
    });
  } catch {
    return true;
  }
}
