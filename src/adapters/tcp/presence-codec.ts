import type { EndedSession } from '../../application/ports/session-reporter.ts';
import type { VoiceState } from '../../domain/chat-event.ts';
import { type ChannelId, type CommunityId, parseId, type UserId } from '../../domain/ids.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import { parseWhereabouts, type Whereabouts, whereaboutsText } from '../../domain/whereabouts.ts';

/** A request of the presence protocol, and the reader of its reply. */
export interface Question<T> {
  /** The request with its CR LF. */
  readonly line: string;
  /** @throws NonsenseReply if the reply cannot be its answer, RefusedRequest if presence refuses */
  read(reply: string): T;
}

/** The reply does not answer the question. The replies after it cannot be trusted any more. */
export class NonsenseReply extends Error {
  override readonly name = 'NonsenseReply';
}

/** Presence refused the request. The replies after it are sound. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
}

/** Keys in the order of the protocol's documentation. Unused keys are left out. */
interface Request {
  readonly type: 'login' | 'logout' | 'state' | 'direct' | 'community' | 'before-enter' | 'enter' | 'signaling';
  readonly session_id?: string;
  readonly user_id?: string;
  readonly channel_id?: string;
  readonly community_id?: string;
  readonly ids?: readonly UserId[];
}

export function login(sessionId: string, userId: UserId): Question<void> {
  // Any answer means yes, because the protocol does not define one.
  return question({ type: 'login', session_id: sessionId, user_id: String(userId) }, () => {});
}

/** The answer is null when presence does not know the session. */
export function logout(sessionId: string): Question<EndedSession | null> {
  return question({ type: 'logout', session_id: sessionId }, (reply) => {
    const comma = reply.indexOf(',');
    if (comma < 0) throw new NonsenseReply('the answer to logout has no comma');
    const user = reply.slice(0, comma);
    const userId = parseId(user);
    if (userId === null && !/^[\w.@-]{1,128}$/.test(user)) throw new NonsenseReply('the answer to logout has no user');
    const whereabouts = readWhereabouts(reply.slice(comma + 1));
    return userId === null ? null : { userId, whereabouts };
  });
}

/** The answer is the place where the user looked before. */
export function state(userId: UserId, whereabouts: Whereabouts): Question<Whereabouts | null> {
  const text = whereaboutsText(whereabouts);
  return question({ type: 'state', user_id: String(userId), channel_id: text }, (reply) => {
    // The text of a voice channel has a comma. The answer is therefore split at its known end.
    const end = `,${text}`;
    const last = reply.endsWith(end) ? reply.slice(0, -end.length) : /^(com\d+,c-\d+|[^,]+),/.exec(reply)?.[1];
    if (last === undefined) throw new NonsenseReply('the answer to state has no comma');
    return readWhereabouts(last);
  });
}

/** The answer holds the users of `ids` who do not look at the conversation. */
export function notLooking(place: ConversationKey, ids: readonly UserId[]): Question<UserId[]> {
  const type = isChannel(place) ? 'community' : 'direct';
  return question({ type, channel_id: place, community_id: place, ids }, (reply) => {
    if (!reply.startsWith('[') || !reply.endsWith(']')) throw new NonsenseReply('the answer is not a list');
    const asked = new Set(ids);
    const inner = reply.slice(1, -1).trim();
    if (inner === '') return [];
    return inner
      .split(',')
      .map((text) => {
        const id = parseId(text.trim());
        if (id === null) throw new NonsenseReply('the answer has an entry that is not a user id');
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

/** The user left the voice channel. Any answer means yes. */
export function leave(userId: UserId, communityId: CommunityId, channelId: ChannelId): Question<void> {
  return question(
    { type: 'signaling', user_id: String(userId), channel_id: `c-${channelId}`, community_id: String(communityId) },
    () => {},
  );
}

/** Splits a list so that no answer to `notLooking` is longer than `bytes`. */
export function portions(ids: readonly UserId[], bytes: number): UserId[][] {
  // An id has at most 16 digits, and a comma and a blank follow it.
  const size = Math.max(1, Math.floor((bytes - 2) / 18));
  const result: UserId[][] = [];
  for (let from = 0; from < ids.length; from += size) result.push(ids.slice(from, from + size));
  return result;
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

/**
 * A kind of place that this server does not know counts as none.
 * @throws NonsenseReply if the text cannot be a place
 */
function readWhereabouts(text: string): Whereabouts | null {
  if (!/^[\w,-]{0,64}$/.test(text)) throw new NonsenseReply('the answer has no place');
  return parseWhereabouts(text);
}

function readVoice(reply: string): VoiceState {
  let json: unknown;
  try {
    json = JSON.parse(reply);
  } catch {
    throw new NonsenseReply('the answer is not valid JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new NonsenseReply('the answer is not an object');
  const voice = new Map<string, string[]>();
  for (const [channel, users] of Object.entries(json)) {
    if (parseId(channel) === null || !Array.isArray(users))
      throw new NonsenseReply('the answer has an entry that is not a voice channel');
    const ids = users.map((user: unknown) => parseId(user));
    voice.set(channel, ids.filter((id) => id !== null).map(String));
  }
  return Object.fromEntries(voice);
}
