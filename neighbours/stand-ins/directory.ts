import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const ID = z.string().regex(/^[1-9]\d*$/, 'must be an id');
const MEMBERS = z.array(z.number().int().positive());

const DIRECTORY = z.object({
  users: z.record(ID, z.object({ name: z.string(), image: z.string().nullable().default(null) })),
  rooms: z.record(ID, MEMBERS).default({}),
  communities: z
    .record(ID, z.object({ members: MEMBERS, channels: z.record(ID, MEMBERS.nullable()).default({}) }))
    .default({}),
});

/**
 * All users, rooms and communities. A channel has a list of its members, or null when it is open to
 * its community.
 */
export type Directory = z.infer<typeof DIRECTORY>;

/** A room or community whose members differ between two directories. */
export interface MemberChange {
  readonly kind: 'room' | 'community';
  readonly id: string;
  /** The new members. */
  readonly members: readonly number[];
}

/** Checks a directory. @throws Error that names each field that is not valid */
export function parseDirectory(value: unknown): Directory {
  const read = DIRECTORY.safeParse(value);
  if (read.success) return read.data;
  throw new Error(read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

/** Reads a directory. @param file absent: the small demo world beside this module */
export async function readDirectory(file?: string): Promise<Directory> {
  return parseDirectory(JSON.parse(await readFile(file ?? new URL('demo-world.json', import.meta.url), 'utf8')));
}

/** The users who may read a channel; null when the channel does not exist. */
export function channelOf(directory: Directory, id: string): { members: readonly number[]; open: boolean } | null {
  for (const { members, channels } of Object.values(directory.communities)) {
    const own = channels[id];
    if (own !== undefined) return { members: own ?? members, open: own === null };
  }
  return null;
}

/** The rooms and communities of a user, as `community/1` and `direct/5`. */
export function placesOf(directory: Directory, userId: number): string[] {
  const communities = Object.entries(directory.communities).filter(([, { members }]) => members.includes(userId));
  const rooms = Object.entries(directory.rooms).filter(([, members]) => members.includes(userId));
  return [...communities.map(([id]) => `community/${id}`), ...rooms.map(([id]) => `direct/${id}`)];
}

/** The rooms and communities whose members differ. */
export function memberChanges(before: Directory, after: Directory): MemberChange[] {
  const communities = (directory: Directory) =>
    Object.fromEntries(Object.entries(directory.communities).map(([id, { members }]) => [id, members]));
  return [
    ...changes('room', before.rooms, after.rooms),
    ...changes('community', communities(before), communities(after)),
  ];
}

type Lists = { readonly [id: string]: readonly number[] };

function changes(kind: MemberChange['kind'], before: Lists, after: Lists): MemberChange[] {
  const sorted = (members: readonly number[] = []) => [...new Set(members)].sort((a, b) => a - b).join();
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((id) => sorted(before[id]) !== sorted(after[id]))
    .map((id) => ({ kind, id, members: after[id] ?? [] }));
}
