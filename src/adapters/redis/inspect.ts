import type { Cluster, Redis } from 'ioredis';
import { parseId } from '../../domain/ids.ts';
import type { TlsOptions } from '../support/tls.ts';
import { withTimeout } from '../support/with-timeout.ts';
import { createRedisClient, type RedisClient } from './client.ts';
import type { RedisLocation } from './location.ts';

const ANSWER_MS = 4_000;
const COMMAND_MS = 2_000;

interface RedisOptions {
  readonly location: RedisLocation;
  readonly tls: TlsOptions | null;
}

/**
 * Connects to Redis and reads one key of the list cache. Changes nothing.
 * @throws Error with the reason of the last failed attempt
 */
export async function inspectRedis(options: RedisOptions): Promise<void> {
  await withClient(options, (client) => client.exists('R0'));
}

async function withClient<T>(options: RedisOptions, work: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = createRedisClient({ ...options, timeoutMs: COMMAND_MS, prefix: '' });
  let last: Error | null = null;
  try {
    const ready = new Promise<void>((resolve) => {
      client.on('error', (error: Error) => {
        last = reasonOf(error);
      });
      client.once('ready', resolve);
    });
    await withTimeout(ANSWER_MS, ready, () => last ?? new Error(`no answer within ${ANSWER_MS / 1_000} s`));
    return await work(client);
  } finally {
    client.disconnect();
  }
}

const LIST_KEY = /^(R|CH)[1-9][0-9]*$/;

/**
 * Counts the member lists whose value is not `{"members":[...]}`. Reads all keys of a single Redis,
 * or of each primary of a cluster. Changes nothing.
 * @throws Error with the reason
 */
export function damagedMemberLists(options: RedisOptions): Promise<number> {
  return withClient(options, async (client) => {
    let damaged = 0;
    for (const node of client.isCluster ? (client as Cluster).nodes('master') : [client as Redis]) {
      for await (const keys of node.scanStream({ match: '*[0-9]', count: 1_000 })) {
        for (const key of keys as string[]) {
          if (LIST_KEY.test(key) && !isList(await node.get(key).catch(() => ''))) damaged += 1;
        }
      }
    }
    return damaged;
  });
}

/** A list that has expired meanwhile is none. */
function isList(value: string | null): boolean {
  if (value === null) return true;
  try {
    const { members } = JSON.parse(value) as { members?: unknown };
    return Array.isArray(members) && members.every((member) => parseId(member) !== null);
  } catch {
    return false;
  }
}

/** The client of a Redis Cluster names the error of its last node in a field. */
function reasonOf(error: Error): Error {
  return 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
}
