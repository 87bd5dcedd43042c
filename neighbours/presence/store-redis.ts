import { randomUUID } from 'node:crypto';
import { type Place, type VoiceChannel, voiceOfPlace } from './codec.ts';
import { dueAt, ENTRY_MS, type Entry, type Session } from './entry.ts';
import type { RedisClient } from './redis-client.ts';
import type { SharedStore, StoreState } from './resilient.ts';
import type { VersionedEntry, VoiceLists, VoiceScope } from './store.ts';
import { scopeOf } from './store.ts';

/**
 * Replaces an entry if it has not changed, and runs the commands that belong to it.
 *
 * Keys, all under a prefix (`presence:`, in a Redis Cluster `{presence}:`, so that one node has
 * all):
 * - `user:{U}`: the entry of a user, as JSON
 * - `session:{S}`: the user of a session
 * - `held:{owner}`: set of an owner's sessions
 * - `owners`: owners by end of lease
 * - `due`: users by the time at which a part of their entry expires
 * - `voice:{scope}`: members `{channel}:{user}` by time of entering
 * - `alive`: an id of the data, which every process knows. It is another one after all data was
 *   lost.
 */
const COMMIT = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for _, command in ipairs(cjson.decode(ARGV[2])) do redis.call(unpack(command)) end
return 1`;

const CHECK = `
local generation = redis.call('GET', KEYS[1])
if not generation then
  generation = ARGV[1]
  redis.call('SET', KEYS[1], generation)
end
return { generation, redis.call('INFO', 'server') }`;

/**
 * Asks the server that has the keys. In a Redis Cluster, a command without a key goes to any node.
 */
const ASK = 'return redis.call(unpack(ARGV))';

/** Lifetime of keys, in milliseconds. It removes entries that no process sweeps any more. */
const KEEP_MS = ENTRY_MS + 3_600_000;

type Command = string[];

/** Keeps entries in Redis. One script compares and sets an entry and updates its indexes. */
export class RedisStore implements SharedStore {
  readonly #redis: RedisClient;
  readonly #prefix: string;
  #run: string | null = null;
  #generation: string | null = null;

  constructor(redis: RedisClient, prefix = 'presence:') {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async userOf(session: string): Promise<string | null> {
    return this.#redis.get(this.#key('session', session));
  }

  async load(user: string): Promise<VersionedEntry> {
    const version = (await this.#redis.get(this.#key('user', user))) ?? '';
    return { entry: decode(version), version };
  }

  async loadAll(users: readonly string[]): Promise<(Entry | null)[]> {
    if (users.length === 0) return [];
    const texts = await this.#redis.mget(users.map((user) => this.#key('user', user)));
    return texts.map((text) => decode(text ?? ''));
  }

  async commit(user: string, before: VersionedEntry, after: Entry | null, leaseUntil: number): Promise<boolean> {
    const key = this.#key('user', user);
    const commands = this.#indexes(user, before.entry, after, leaseUntil);
    commands.push(after === null ? ['DEL', key] : ['SET', key, JSON.stringify(after), 'PX', String(KEEP_MS)]);
    return (await this.#redis.eval(COMMIT, 1, key, before.version, JSON.stringify(commands))) === 1;
  }

  async voice(scope: VoiceScope): Promise<VoiceLists> {
    const lists: VoiceLists = {};
    for (const member of await this.#redis.zrange(this.#key('voice', scope), '0', '-1')) {
      const cut = member.indexOf(':');
      const channel = member.slice(0, cut);
      lists[channel] ??= [];
      lists[channel].push(member.slice(cut + 1));
    }
    return lists;
  }

  async renew(owners: readonly string[], until: number): Promise<void> {
    if (owners.length === 0) return;
    await this.#redis.zadd(this.#key('owners'), ...owners.flatMap((owner) => [String(until), owner]));
  }

  async lapsed(now: number): Promise<{ session: string; owner: string }[]> {
    const lapsed: { session: string; owner: string }[] = [];
    for (const owner of await this.#redis.zrangebyscore(this.#key('owners'), '-inf', String(now))) {
      const sessions = await this.#redis.smembers(this.#key('held', owner));
      for (const session of sessions) lapsed.push({ session, owner });
      if (sessions.length === 0) await this.#redis.zrem(this.#key('owners'), owner);
    }
    return lapsed;
  }

  async due(now: number): Promise<string[]> {
    return this.#redis.zrangebyscore(this.#key('due'), '-inf', String(now));
  }

  async now(): Promise<number> {
    const [seconds, microseconds] = (await this.#ask('TIME')) as readonly string[];
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  }

  async check(): Promise<StoreState> {
    const answer = await this.#redis.eval(CHECK, 1, this.#key('alive'), randomUUID());
    const [generation, info] = answer as readonly [string, string];
    // Each start of a Redis has another id, and so has a replica.
    const run = /^run_id:(\w+)/m.exec(info)?.[1] ?? null;
    const isKept = generation === this.#generation;
    const isSame = run !== null && run === this.#run;
    this.#run = run;
    this.#generation = generation;
    if (!isKept) return 'empty';
    return isSame ? 'same' : 'restarted';
  }

  #ask(...command: readonly string[]): Promise<unknown> {
    return this.#redis.eval(ASK, 1, this.#key('alive'), ...command);
  }

  #indexes(user: string, before: Entry | null, after: Entry | null, leaseUntil: number): Command[] {
    const commands: Command[] = [];
    const was: { readonly [id: string]: Session } = before?.sessions ?? {};
    const is: { readonly [id: string]: Session } = after?.sessions ?? {};
    for (const [id, { owner }] of Object.entries(was)) {
      if (is[id]?.owner !== owner) commands.push(['SREM', this.#key('held', owner), id]);
      if (is[id] === undefined) commands.push(['DEL', this.#key('session', id)]);
    }
    for (const [id, { owner, until }] of Object.entries(is)) {
      if (was[id]?.owner === owner && was[id].until === until) continue;
      commands.push(['SET', this.#key('session', id), user, 'PX', String(KEEP_MS)]);
      commands.push(['SADD', this.#key('held', owner), id], ['PEXPIRE', this.#key('held', owner), String(KEEP_MS)]);
      commands.push(['ZADD', this.#key('owners'), 'NX', String(leaseUntil), owner]);
    }
    if (after === null) commands.push(['ZREM', this.#key('due'), user]);
    else commands.push(['ZADD', this.#key('due'), String(dueAt(after)), user]);
    return [...commands, ...this.#voiceIndex(user, before, after)];
  }

  #voiceIndex(user: string, before: Entry | null, after: Entry | null): Command[] {
    const [was, is] = [before?.voice ?? null, after?.voice ?? null];
    const commands: Command[] = [];
    if (was !== null) commands.push(['ZREM', this.#key('voice', scopeOf(was)), `${was.channel}:${user}`]);
    if (is !== null && after !== null) {
      const key = this.#key('voice', scopeOf(is));
      commands.push(['ZADD', key, String(after.since), `${is.channel}:${user}`], ['PEXPIRE', key, String(KEEP_MS)]);
    }
    return commands;
  }

  #key(kind: string, id?: string): string {
    return id === undefined ? `${this.#prefix}${kind}` : `${this.#prefix}${kind}:${id}`;
  }
}

/** An entry of the version before this one: the user is in the voice channel or call at `place`. */
interface FormerEntry extends Omit<Entry, 'voice'> {
  readonly voice?: undefined;
  readonly call: boolean;
}

/** Reads an entry. A text that is not an entry counts as none. */
function decode(text: string): Entry | null {
  if (text === '') return null;
  try {
    const entry: Entry | FormerEntry | null = JSON.parse(text);
    if (typeof entry?.sessions !== 'object' || entry.sessions === null) return null;
    if (entry.voice !== undefined) return entry;
    const { call, ...rest } = entry;
    return { ...rest, voice: call ? callAt(rest.place) : voiceOfPlace(rest.place) };
  } catch {
    return null;
  }
}

function callAt(place: Place): VoiceChannel | null {
  return place?.startsWith('r-') === true ? { community: null, channel: place.slice(2) } : null;
}
