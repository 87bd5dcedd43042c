import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Telemetry } from '../application/ports/telemetry.ts';
import type { Lifecycle } from './lifecycle.ts';

const OWNER_ONLY = 0o600;

export interface BackupSocketParts {
  /** The folder of the socket. It exists. */
  readonly dataDir: string;
  readonly backUp: (target: string) => Promise<void>;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Pick<Telemetry, 'log'>;
}

/** One line each way, in JSON. */
interface BackupRequest {
  /** Absolute path of the new file. */
  readonly target: string;
}
interface BackupAnswer {
  /** Null: the copy is complete. */
  readonly error: string | null;
}

/**
 * Lets `chat-server backup` copy the database of this running server, which has locked its file.
 * The socket is in the data folder, for the user of the server only. A server that cannot open it
 * goes on without.
 */
export async function serveBackups(parts: BackupSocketParts): Promise<void> {
  const { dataDir, lifecycle, telemetry } = parts;
  const path = socketOf(dataDir);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    createInterface({ input: socket }).once('line', async (line) => {
      socket.end(`${JSON.stringify(await answer(line, parts))}\n`);
    });
  });
  try {
    // This server has locked the database, so a socket here was left by a killed one.
    await rm(path, { force: true });
    await listen(server, path);
    await chmod(path, OWNER_ONLY);
  } catch (error) {
    telemetry.log('warn', 'backups of the running server are not possible', { path, error });
    return;
  }
  lifecycle.onStop('backups', async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
}

async function answer(line: string, { backUp, telemetry }: BackupSocketParts): Promise<BackupAnswer> {
  try {
    const { target } = JSON.parse(line) as Partial<BackupRequest>;
    if (typeof target !== 'string' || !isAbsolute(target)) throw new Error('target must be an absolute path');
    await backUp(target);
    telemetry.log('info', 'the database was backed up', { target });
    return { error: null };
  } catch (error) {
    telemetry.log('warn', 'a backup of the database failed', { error });
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Asks the server that runs in this data folder to copy its database to a new file.
 * @returns false if no server answers there
 * @throws Error of the server
 */
export async function askForBackup(dataDir: string, target: string): Promise<boolean> {
  const socket = connect(socketOf(dataDir));
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  if (!connected) return false;
  try {
    socket.write(`${JSON.stringify({ target } satisfies BackupRequest)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const { error } = JSON.parse(line) as BackupAnswer;
      if (error !== null) throw new Error(error);
      return true;
    }
    throw new Error('the server ended before the copy was complete');
  } finally {
    socket.destroy();
  }
}

function socketOf(dataDir: string): string {
  return join(dataDir, 'backup.sock');
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, exclusive: true }, resolve);
  });
}
