import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { UserProfile } from '../../application/ports/user-directory.ts';
import { type ChannelId, type CommunityId, parseId, type RoomId, type UserId } from '../../domain/ids.ts';

/**
 * The JSON of `DIRECTORY_FILE`: `{"users":{"1":{"name":"Ada","image":null}},"rooms":{"5":[1,2]},
 * "communities":{"1":{"members":[1,2],"channels":{"11":null,"12":[1]}}}}`. A channel's list is its private members, null for all.
 */
export type DirectoryFile = z.input<typeof SHAPE>;

export interface Community {
  readonly members: readonly UserId[];
  /** Private members; null: all of the community. */
  readonly channels: ReadonlyMap<ChannelId, readonly UserId[] | null>;
}

/** A directory file, read and checked. */
export interface World {
  readonly users: ReadonlyMap<UserId, UserProfile>;
  readonly rooms: ReadonlyMap<RoomId, readonly UserId[]>;
  readonly communities: ReadonlyMap<CommunityId, Community>;
}

/** One mistake in a large file is often made a thousand times. */
const MOST_TOLD = 5;

const ID = z.union([z.number(), z.string()]).transform((value, context) => {
  const id = parseId(value);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is no id (a positive integer)` });
  return z.NEVER;
});
const IDS = z.array(ID).transform((ids) => [...new Set(ids)]);

function byId<Value extends z.ZodType>(value: Value) {
  return z.record(z.string(), value).transform((record, context) => {
    const map = new Map<number, z.output<Value>>();
    for (const [key, entry] of Object.entries(record)) {
      const id = parseId(key);
      if (id === null) context.addIssue({ code: 'custom', message: `the key ${JSON.stringify(key)} is no id` });
      else map.set(id, entry);
    }
    return map;
  });
}

const SHAPE = z.object({
  users: byId(z.object({ name: z.string().min(1), image: z.string().nullable().default(null) })).default(new Map()),
  rooms: byId(IDS).default(new Map()),
  communities: byId(z.object({ members: IDS, channels: byId(IDS.nullable()).default(new Map()) })).default(new Map()),
});

/** @throws Error whose message names each place that is wrong, and `source` */
export function readDirectory(file: unknown, source = 'the directory'): World {
  const read = SHAPE.safeParse(file);
  if (!read.success) {
    const { issues } = read.error;
    const told = issues.slice(0, MOST_TOLD).map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
    if (issues.length > MOST_TOLD) told.push(`and ${issues.length - MOST_TOLD} more like these`);
    throw new Error(`${source} can't be used: ${told.join('; ')}`);
  }
  const owners = new Map<ChannelId, CommunityId>();
  for (const [communityId, { channels }] of read.data.communities) {
    for (const channelId of channels.keys()) {
      const other = owners.get(channelId);
      if (other !== undefined) {
        throw new Error(`${source} can't be used: channel ${channelId} is in communities ${other} and ${communityId}`);
      }
      owners.set(channelId, communityId);
    }
  }
  return read.data;
}

/** @throws Error whose message names the file and what is wrong with it */
export function loadDirectoryFile(path: string): World {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the directory file ${path} can't be read: ${why}`);
  }
  return readDirectory(json, `the directory file ${path}`);
}

/** Stands where no `DIRECTORY_FILE` is given. */
export const DEMO_WORLD: DirectoryFile = {
  users: {
    1: { name: 'Ada', image: null },
    2: { name: 'Grace', image: null },
    3: { name: 'Linus', image: null },
    4: { name: 'Margaret', image: null },
    5: { name: 'Ken', image: null },
    6: { name: 'Barbara', image: null },
  },
  rooms: { 5: [1, 2], 6: [1, 3], 7: [2, 3, 4] },
  communities: {
    1: { members: [1, 2, 3, 4], channels: { 11: null, 12: [1, 2] } },
    2: { members: [1, 5, 6], channels: { 21: null } },
  },
};
