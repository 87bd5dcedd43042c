import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { findProgram } from './programs.ts';
import { ServiceUnavailable } from './service.ts';

/** Calls that write files or flush them. Files are named besides, so sockets are not harmed. */
const CALLS = 'write,writev,pwrite64,pwritev,fsync,fdatasync,msync';
const ATTACH_MS = 10_000;
/** File descriptors up to this one are the standard streams, which are not data. */
const LAST_STREAM = 2;
/** The bits of the flags of an open file that say how it was opened. 0: only for reading. */
const ACCESS_MODE = 3;

/** A disk on which each write and each flush takes `delayMs` longer, or fails for lack of space. */
export type DiskFault = { readonly delayMs: number } | 'full';

/**
 * Harms the files that a process has open for writing, by strace. Files that it opens later are not
 * harmed. The function that it resolves with repairs them.
 * @throws ServiceUnavailable where this process may not trace others, or strace is not installed
 */
export async function harmDisk(pid: number, fault: DiskFault): Promise<() => Promise<void>> {
  const effect = fault === 'full' ? 'error=ENOSPC' : `delay_enter=${fault.delayMs * 1_000}`;
  const files = await filesOpenForWriting(pid);
  if (files.length === 0) throw new Error(`process ${pid} has no file open for writing`);
  const filter = ['-e', `trace=${CALLS}`, '-e', `inject=${CALLS}:${effect}`, ...files.flatMap((file) => ['-P', file])];
  return await attach(pid, filter);
}

/** Checks that `harmDisk` can work on this machine. @throws ServiceUnavailable */
export async function checkDiskFaults(): Promise<void> {
  const other = spawn('sleep', [String((2 * ATTACH_MS) / 1_000)], { stdio: 'ignore' });
  try {
    await once(other, 'spawn');
    const detach = await attach(other.pid ?? 0, ['-e', 'trace=fsync']);
    await detach();
  } finally {
    other.kill('SIGKILL');
  }
}

/** Attaches strace to all threads of a process. Resolves with a function that detaches it. */
async function attach(pid: number, filter: readonly string[]): Promise<() => Promise<void>> {
  const strace = findProgram('strace', "Debian's package strace has it");
  const child = spawn(strace, ['-f', '-o', '/dev/null', '-p', String(pid), ...filter], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const attached = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (/attached/.test(line)) resolve(true);
      else lines.push(line);
    });
    void exited.then(() => resolve(false));
    setTimeout(() => resolve(false), ATTACH_MS).unref();
  });
  const detach = async () => {
    // After this signal strace lets all threads go on.
    child.kill('SIGTERM');
    if (isRunning(child)) await exited;
  };
  if (await attached) return detach;
  await detach();
  throw new ServiceUnavailable('disk faults', `strace cannot attach to a process: ${lines.at(-1) ?? 'no answer'}`);
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

async function filesOpenForWriting(pid: number): Promise<string[]> {
  const found = new Set<string>();
  for (const name of await readdir(`/proc/${pid}/fd`)) {
    if (Number(name) <= LAST_STREAM) continue;
    const path = await dataFileOf(pid, name).catch(() => null);
    if (path !== null) found.add(path);
  }
  return [...found];
}

/**
 * The path of a file descriptor if it is a regular file that is open for writing; otherwise null.
 */
async function dataFileOf(pid: number, descriptor: string): Promise<string | null> {
  const link = `/proc/${pid}/fd/${descriptor}`;
  if (!(await stat(link)).isFile()) return null;
  const [, flags = '0'] = /^flags:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8')) ?? [];
  return (Number.parseInt(flags, 8) & ACCESS_MODE) === 0 ? null : await readlink(link);
}
