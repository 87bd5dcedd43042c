import { readFileSync } from 'node:fs';
import type { z as Zod } from 'zod';
import type { UserProfile } from '../../application/ports/user-directory.ts';
import { type ChannelId, type CommunityId, parseId, type RoomId, type UserId } from '../../domain/ids.ts';
import { parseJsonText } from '../support/json-text.ts';
import { schemas } from '../support/schemas.ts';

/**
 * The JSON of `DIRECTORY_FILE`: `{"users":{"1":{"name":"Ada","image":null}},"rooms":{"5":[1,2]},
 * "communities":{"1":{"members":[1,2],"channels":{"11":null,"12":[1]}}}}`. A channel has a list of
 * its private members, or null if it is open to the whole community. A community may also have a
 * `"name"` and `"channelNames":{"11":"general"}`. Each part may be missing.
 */
export type DirectoryFile = Zod.input<ReturnType<typeof directoryShape>>;

export interface Community {
  readonly name: string | null;
  readonly members: readonly UserId[];
  /**
   * The members of each private channel; null for a channel that is open to the whole community.
   */
  readonly channels: ReadonlyMap<ChannelId, readonly UserId[] | null>;
  /** The names of the channels that have one. */
  readonly channelNames: ReadonlyMap<ChannelId, string>;
}

/** The content of a valid directory file. */
export interface World {
  readonly users: ReadonlyMap<UserId, UserProfile>;
  readonly rooms: ReadonlyMap<RoomId, readonly UserId[]>;
  readonly communities: ReadonlyMap<CommunityId, Community>;
}

/** Problems named in one error. In a large file the same mistake is often made a thousand times. */
const MAX_NAMED_PROBLEMS = 5;
/** Characters of a wrong text that are shown. */
const MAX_SHOWN_CHARS = 40;

const directoryShape = schemas((z) => {
  const id = z.union([z.number(), z.string()], expecting('a positive integer')).transform((value, context) => {
    const parsed = parseId(value);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: problem('a positive integer', value) });
    return z.NEVER;
  });
  const userIds = (what: string) => z.array(id, expecting(what)).transform((ids) => [...new Set(ids)]);
  const userIdList = userIds('an array of user ids');

  const byId = <Value extends Zod.ZodType>(what: string, value: Value) =>
    z
      .record(z.string(), value, expecting(`an object with ${what} ids as keys`))
      .transform((record, context) => {
        const map = new Map<number, Zod.output<Value>>();
        for (const [key, entry] of Object.entries(record)) {
          const parsed = parseId(key);
          if (parsed !== null) map.set(parsed, entry);
          else
            context.addIssue({
              code: 'custom',
              path: [key],
              message: problem(`a ${what} id (a positive integer) as the key`, key),
            });
        }
        return map;
      })
      .default(new Map());

  const user = z.object(
    {
      name: z.string(expecting('a text')).min(1, expecting('a text that is not empty')),
      image: z.string(expecting('a text or null')).nullable().default(null),
    },
    expecting('an object with a name'),
  );
  const community = z.object(
    {
      name: z.string(expecting('a text or null')).nullable().default(null),
      members: userIdList,
      channels: byId('channel', userIds('an array of user ids, or null').nullable()),
      channelNames: byId('channel', z.string(expecting('a text'))),
    },
    expecting('an object with members'),
  );
  return z.object(
    { users: byId('user', user), rooms: byId('room', userIdList), communities: byId('community', community) },
    expecting('an object with users, rooms and communities'),
  );
});

/**
 * Checks the content of a directory file.
 * @param source the file's name in errors
 * @throws Error that names `source` and, for each problem, its path, the expected value and the one
 * that was found
 */
export function readDirectory(content: unknown, source = 'the directory'): World {
  const read = directoryShape().safeParse(content);
  if (!read.success) {
    const { issues } = read.error;
    const problems = issues.slice(0, MAX_NAMED_PROBLEMS).map(({ path, message }) => `${pathText(path)}: ${message}`);
    if (issues.length > MAX_NAMED_PROBLEMS) problems.push(`and ${issues.length - MAX_NAMED_PROBLEMS} more problems`);
    throw new Error(`${source} cannot be used: ${problems.join('; ')}`);
  }
  const owners = new Map<ChannelId, CommunityId>();
  for (const [communityId, { channels }] of read.data.communities) {
    for (const channelId of channels.keys()) {
      const other = owners.get(channelId);
      if (other !== undefined) {
        const path = pathText(['communities', String(communityId), 'channels', String(channelId)]);
        throw new Error(
          `${source} cannot be used: ${path}: expected a new channel id, found one of community ${other}`,
        );
      }
      owners.set(channelId, communityId);
    }
  }
  return read.data;
}

/**
 * Reads and checks a directory file.
 * @throws Error that names the file and what is wrong with it
 */
export function loadDirectoryFile(path: string): World {
  const source = `the directory file ${path}`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${source} cannot be read: ${messageOf(error)}`);
  }
  let content: unknown;
  try {
    content = parseJsonText(text);
  } catch (error) {
    throw new Error(`${source} is not valid JSON: ${messageOf(error)}`);
  }
  return readDirectory(content, source);
}

/** The options of a schema that reports `expected ..., found ...`. */
function expecting(what: string) {
  return { error: ({ input }: { readonly input?: unknown }) => problem(what, input) };
}

function problem(expected: string, found: unknown): string {
  return `expected ${expected}, found ${describeFound(found)}`;
}

function describeFound(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}...` : text;
}

/** Such as `communities.1.members[0]`. */
function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the top level';
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return text.replace(/^\./, '');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Used if there is no `DIRECTORY_FILE`. It needs no check, so zod is not loaded for it. */
export const DEMO_WORLD: World = {
  users: new Map(
    ['Ada', 'Grace', 'Linus', 'Margaret', 'Ken', 'Barbara', '지민', '서연'].map((name, i) => [
      i + 1,
      { name, image: null },
    ]),
  ),
  rooms: new Map([
    [5, [1, 2]],
    [6, [1, 3]],
    [7, [2, 3, 4]],
  ]),
  communities: new Map([
    [
      1,
      {
        name: 'Engine room',
        members: [1, 2, 3, 4],
        channels: new Map<ChannelId, readonly UserId[] | null>([
          [11, null],
          [12, [1, 2]],
        ]),
        channelNames: new Map([
          [11, 'general'],
          [12, 'release'],
        ]),
      },
    ],
    [
      2,
      {
        name: 'Book club',
        members: [1, 5, 6],
        channels: new Map([[21, null]]),
        channelNames: new Map([[21, 'reading']]),
      },
    ],
    [
      3,
      {
        name: '서울 사무실',
        members: [1, 2, 7, 8],
        channels: new Map([[31, null]]),
        channelNames: new Map([[31, '일반']]),
      },
    ],
  ]),
};
