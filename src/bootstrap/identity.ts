import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config/config.ts';
import { keptText } from './kept-file.ts';

const KEPT_BYTES = 4;
const MAX_HOST_NAME_CHARS = 63;

/**
 * The id that distinguishes this server from all others, the same at every start. It is the
 * configured id, or the host name with eight hexadecimal digits that are kept in the data folder.
 * The number of a worker follows.
 * @throws Error when the data folder can't be used, or when it holds an id that is not valid
 */
export async function serverIdentity(
  server: Pick<Config['server'], 'id' | 'dataDir'>,
  worker: number | null = null,
): Promise<string> {
  const id = server.id ?? `${hostLabel(hostname())}-${await keptId(server.dataDir)}`;
  return worker === null ? id : `${id}-${worker}`;
}

async function keptId(dataDir: string): Promise<string> {
  const path = join(dataDir, 'server-id');
  const id = await keptText(path, () => randomBytes(KEPT_BYTES).toString('hex'));
  if (!/^[0-9a-f]{8}$/.test(id))
    throw new Error(`${path} must hold eight hexadecimal digits: correct it, or remove it to get a new id`);
  return id;
}

/** The host name without the characters that the name of a consumer group may not have. */
export function hostLabel(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, MAX_HOST_NAME_CHARS)
    .replace(/^[-.]+|[-.]+$/g, '');
  return label === '' ? 'server' : label;
}
