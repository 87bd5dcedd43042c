import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const ID = z.string().regex(/^[1-9]\d*$/, 'is not an id');
const MEMBERS = z.array(z.number().int().positive());

const DIRECTORY = z.object({
  users: z.record(ID, z.object({ name: z.string(), image: z.string().nullable().default(null) })),
  rooms: z.record(ID, MEMBERS).default({}),
  communities: z
    .record(ID, z.object({ members: MEMBERS, channels: z.record(ID, MEMBERS.nullable()).default({}) }))
    .default({}),
});

/** Who there is, and who is where; a channel's list is its private members, null for all of the community. */
export type Directory = z.infer<typeof DIRECTORY>;

/** A place whose members differ between two directories, and who is in it by the second. */
export interface MemberChange {
  readonly kind: 'room' | 'community';
  readonly id: string;
  readonly members: readonly number[];
}

/** @throws Error that names what makes no sense, and where */
export function parseDirectory(value: unknown): Directory {
  const read = DIRECTORY.safeParse(value);
  if (read.success) return read.data;
  throw new Error(read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

/** @param file absent: the small demo world beside this module */
export async function readDirectory(file?: string): Promise<Directory> {
  return parseDirectory(JSON.parse(await readFile(file ?? new URL('demo-world.json', import.meta.url), 'utf8')));
}

/** Those who may read a channel; null where there is no such channel. */
export function channelOf(directory: Directory, id: string): { members: readonly number[]; open: boolean } | null {
  for (const { members, channels } of Object.values(directory.communities)) {
    const own = channels[id];
    if (own !== undefined) return { members: own ?? members, open: own === null };
  }
  return null;
}

/** `community/1`, `direct/5`: every place whose member the user is. */
export function placesOf(directory: Directory, userId: number): string[] {
  const communities = Object.entries(directory.communities).filter(([, { members }]) => members.includes(userId));
  const rooms = Object.entries(directory.rooms).filter(([, members]) => members.includes(userId));
  return [...communities.map(([id]) => `community/${id}`), ...rooms.map(([id]) => `direct/${id}`)];
}

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
