import type { VoiceState } from '../../domain/chat-event.ts';
import { type ChannelId, type CommunityId, parseId, type UserId } from '../../domain/ids.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import { parseWhereabouts, type Whereabouts, whereaboutsText } from '../../domain/whereabouts.ts';

/** One request of the presence protocol as it is written (its CR LF included), and how its reply is read. */
export interface Question<T> {
  readonly line: string;
  /** @throws NonsenseReply for what can't be its answer, RefusedRequest where presence says that the request is wrong */
  read(reply: string): T;
}

/** The peer said something that is no answer to the question: its stream of replies can't be trusted any more. */
export class NonsenseReply extends Error {
  override readonly name = 'NonsenseReply';
}

/** Presence understood where the request ends and would not take it. The replies after it are sound. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
}

/** Keys in the order of the protocol's documentation; those that are not used are left out. */
interface Request {
  readonly type: 'login' | 'logout' | 'state' | 'direct' | 'community' | 'before-enter' | 'enter';
  readonly session_id?: string;
  readonly user_id?: string;
  readonly channel_id?: string;
  readonly community_id?: string;
  readonly ids?: readonly UserId[];
}

export function login(sessionId: string, userId: UserId): Question<void> {
  // Whatever presence answers is a yes: the protocol has no text for it.
  return question({ type: 'login', session_id: sessionId, user_id: String(userId) }, () => {});
}

/** Null: presence does not know the session. */
export function logout(
  sessionId: string,
): Question<{ readonly userId: UserId; readonly whereabouts: Whereabouts | null } | null> {
  return question({ type: 'logout', session_id: sessionId }, (reply) => {
    const comma = reply.indexOf(',');
    if (comma < 0) throw new NonsenseReply('no comma in the answer to logout');
    const user = reply.slice(0, comma);
    const userId = parseId(user);
    if (userId === null && !/^[\w.@-]{1,128}$/.test(user)) throw new NonsenseReply('no user in the answer to logout');
    const whereabouts = readWhereabouts(reply.slice(comma + 1));
    return userId === null ? null : { userId, whereabouts };
  });
}

/** The answer is where the user looked before. */
export function state(userId: UserId, whereabouts: Whereabouts): Question<Whereabouts | null> {
  const text = whereaboutsText(whereabouts);
  return question({ type: 'state', user_id: String(userId), channel_id: text }, (reply) => {
    // A voice channel's place holds a comma, so the answer is cut from its end, which is known.
    const end = `,${text}`;
    const last = reply.endsWith(end) ? reply.slice(0, -end.length) : /^(com\d+,c-\d+|[^,]+),/.exec(reply)?.[1];
    if (last === undefined) throw new NonsenseReply('no comma in the answer to state');
    return readWhereabouts(last);
  });
}

/** Those of `ids` who are not looking there. */
export function notLooking(place: ConversationKey, ids: readonly UserId[]): Question<UserId[]> {
  const type = isChannel(place) ? 'community' : 'direct';
  return question({ type, channel_id: place, community_id: place, ids }, (reply) => {
    if (!reply.startsWith('[') || !reply.endsWith(']')) throw new NonsenseReply('no list in the answer');
    const asked = new Set(ids);
    const inner = reply.slice(1, -1).trim();
    if (inner === '') return [];
    return inner
      .split(',')
      .map((text) => {
        const id = parseId(text.trim());
        if (id === null) throw new NonsenseReply('a list of something else than ids');
        return id;
      })
      .filter((id) => asked.has(id));
  });
}

export function beforeEnter(userId: UserId, communityId: CommunityId): Question<VoiceState> {
  return question({ type: 'before-enter', user_id: String(userId), community_id: String(communityId) }, readVoice);
}

export function enter(userId: UserId, communityId: CommunityId, channelId: ChannelId): Question<VoiceState> {
  return question(
    { type: 'enter', user_id: String(userId), channel_id: `c-${channelId}`, community_id: String(communityId) },
    readVoice,
  );
}

/** Cuts a list so that no answer to `notLooking` is longer than `bytes`. */
export function portions(ids: readonly UserId[], bytes: number): UserId[][] {
  // 16 digits at most, a comma and a blank.
  const size = Math.max(1, Math.floor((bytes - 2) / 18));
  const cut: UserId[][] = [];
  for (let from = 0; from < ids.length; from += size) cut.push(ids.slice(from, from + size));
  return cut;
}

function question<T>(request: Request, read: (reply: string) => T): Question<T> {
  return {
    line: `${JSON.stringify(request)}\r\n`,
    read: (reply) => {
      if (reply.startsWith('error:')) throw new RefusedRequest(reply.slice(0, 200));
      return read(reply);
    },
  };
}

/** Whereabouts texts that this server does not know count as none; what can't be a place at all is nonsense. */
function readWhereabouts(text: string): Whereabouts | null {
  if (!/^[\w,-]{0,64}$/.test(text)) throw new NonsenseReply('no place in the answer');
  return parseWhereabouts(text);
}

function readVoice(reply: string): VoiceState {
  let json: unknown;
  try {
    json = JSON.parse(reply);
  } catch {
    throw new NonsenseReply('no JSON in the answer');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new NonsenseReply('no voice object');
  const voice = new Map<string, string[]>();
  for (const [channel, users] of Object.entries(json)) {
    if (parseId(channel) === null || !Array.isArray(users)) throw new NonsenseReply('no voice object');
    const ids = users.map((user: unknown) => parseId(user));
    voice.set(channel, ids.filter((id) => id !== null).map(String));
  }
  return Object.fromEntries(voice);
}
