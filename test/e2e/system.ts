import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jsonwebtoken from 'jsonwebtoken';
import { type ServerProcess, startEmbedded } from '../../dev/server-process.ts';
import type { Directory } from '../../neighbours/stand-ins/directory.ts';

/** Users 1 to 4 and their rooms and communities. User 4 has no profile. */
export const WORLD: Directory = {
  users: {
    1: { name: 'user1', image: 'http://img/1.png' },
    2: { name: 'user2', image: 'http://img/2.png' },
    3: { name: 'user3', image: null },
  },
  rooms: { 5: [1, 2], 6: [1, 4], 7: [1, 2], 8: [1, 2], 9: [1, 2], 99: [2, 3] },
  communities: { 1: { members: [1, 2], channels: { 11: null, 12: [2], 21: null } } },
};

/** One or more chat servers of one cluster, and tokens for them. */
export interface ChatSystem {
  /** The address of each server, such as `http://127.0.0.1:8080`. */
  readonly urls: readonly string[];
  token(userId: number): string;
  stop(): Promise<void>;
}

export interface EmbeddedSystem extends ChatSystem {
  readonly url: string;
  readonly server: ServerProcess;
  /** `JWT_SECRET` of the server. */
  readonly secret: string;
  /** Writes the directory file anew. The server notices within a second. */
  replaceWorld(world: Directory): Promise<void>;
  /** Signs a token with the given claims. */
  sign(claims: object, options?: jsonwebtoken.SignOptions): string;
}

/**
 * Starts one server on the embedded adapters.
 * @param env additional variables. Without `PORT`, the server listens on a free port.
 */
export async function startSystem(
  env: Readonly<Record<string, string>> = {},
  world: Directory = WORLD,
): Promise<EmbeddedSystem> {
  const secret = env.JWT_SECRET === undefined ? randomBytes(48) : Buffer.from(env.JWT_SECRET, 'base64');
  const folder = await mkdtemp(join(tmpdir(), 'chat-world-'));
  const file = join(folder, 'directory.json');
  await writeFile(file, JSON.stringify(world));
  const removed = () => rm(folder, { recursive: true, force: true });
  const own = { DIRECTORY_FILE: file, JWT_SECRET: secret.toString('base64'), LIMITS: 'off', ...env };
  const port = env.PORT === undefined ? {} : { port: Number(env.PORT) };
  const server = await startEmbedded({ env: own, ...port }).catch(async (error: unknown) => {
    await removed();
    throw error;
  });
  const sign: EmbeddedSystem['sign'] = (claims, options = {}) => jsonwebtoken.sign(claims, secret, options);
  return {
    server,
    secret: secret.toString('base64'),
    url: server.url,
    urls: [server.url],
    replaceWorld: (changed) => writeFile(file, JSON.stringify(changed)),
    sign,
    token: (userId) => sign({ id: userId, role: 'USER' }, { subject: `user${userId}`, expiresIn: 600 }),
    stop: async () => {
      await server.dispose();
      await removed();
    },
  };
}
