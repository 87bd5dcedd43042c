import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jsonwebtoken from 'jsonwebtoken';
import { ServerProcess } from '../../dev/server-process.ts';

const SECRET = 'a secret for load tests, known to all who read this';

const tokens = new Map<number, string>();

/** Returns a token for the servers of {@link startServer}. Each token is signed once. */
export function tokenOf(userId: number): string {
  let token = tokens.get(userId);
  if (token === undefined) {
    token = jsonwebtoken.sign({ id: userId, role: 'USER' }, SECRET, { subject: `user${userId}`, expiresIn: 36_000 });
    tokens.set(userId, token);
  }
  return token;
}

/** The members of each room. */
export type Rooms = ReadonlyMap<number, readonly number[]>;

/**
 * Rooms 1 to `rooms` with `members` users each. No user is in two rooms; the first of a room is
 * `(room - 1) * members + 1`.
 */
export function separateRooms(rooms: number, members: number): Rooms {
  return new Map(
    Array.from({ length: rooms }, (_, r) => [r + 1, Array.from({ length: members }, (_, m) => r * members + m + 1)]),
  );
}

/** Each of `users` is in three rooms of at most `size`. */
export function threeRooms(users: number, size: number): Rooms {
  const count = Math.ceil((users * 3) / size);
  const rooms = new Map<number, Set<number>>(Array.from({ length: count }, (_, i) => [i + 1, new Set()]));
  for (let user = 1; user <= users; user += 1) {
    for (let i = 0; i < 3; i += 1) rooms.get(1 + ((user * 3 + i * 331) % count))?.add(user);
  }
  return new Map([...rooms].map(([room, members]) => [room, [...members]]));
}

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  readonly id?: string;
  readonly port?: number;
}

let folder: string | null = null;
let files = 0;

/** Writes a file for DIRECTORY_FILE. It is removed when this process ends. */
export function directoryFile(rooms: Rooms): string {
  if (folder === null) {
    const made = mkdtempSync(join(tmpdir(), 'chat-bench-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  files += 1;
  const file = join(folder, `directory-${files}.json`);
  const ids = new Set([...rooms.values()].flat());
  const users = Object.fromEntries([...ids].map((id) => [id, { name: `user${id}`, image: null }]));
  writeFileSync(file, JSON.stringify({ users, rooms: Object.fromEntries(rooms), communities: {} }));
  return file;
}

/**
 * Starts a chat server whose directory has these rooms. Rates and connections are not limited; all
 * else is at its default.
 */
export function startServer(rooms: Rooms, options: ServerOptions = {}): Promise<ServerProcess> {
  const env = {
    DIRECTORY_FILE: directoryFile(rooms),
    JWT_SECRET: SECRET,
    JWT_SECRET_ENCODING: 'utf8',
    LIMITS: 'off',
    LOG_LEVEL: 'warn',
  };
  return ServerProcess.start({ ...options, env: { ...env, ...options.env } });
}

/** Returns the server's process id. @throws Error if it does not run */
export function pidOf(server: ServerProcess): number {
  if (server.pid === undefined) throw new Error('the server does not run');
  return server.pid;
}
