import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config/config.ts';
import { keptText } from './kept-file.ts';

const KEPT_BYTES = 4;
const LONGEST_HOST_NAME = 63;

/**
 * What tells this server from all others, at the next start as well: as configured, or the host name and eight characters that are kept in
 * the data folder. A worker's number from 1 stands behind it.
 * @throws Error where the data folder can't be used, or holds an id that is none
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
  if (!/^[0-9a-f]{8}$/.test(id)) throw new Error(`${path} holds no id of eight hexadecimal digits`);
  return id;
}

/** The host name as far as it may stand in the name of a consumer group. */
export function hostLabel(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, LONGEST_HOST_NAME)
    .replace(/^[-.]+|[-.]+$/g, '');
  return label === '' ? 'server' : label;
}
