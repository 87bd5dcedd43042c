import { parseLenient } from './lenient.ts';

/**
 * A place as it is written on the wire: `home`, `r-5`, `c-11`, `com1,c-11`; null when none is
 * known.
 */
export type Place = string | null;

/** A voice channel of a community, or a call in a direct room. */
export interface VoiceChannel {
  /** The bare id of the community; null for a call. */
  readonly community: string | null;
  /** The bare id of the channel or room. */
  readonly channel: string;
}

/** A valid request of the presence protocol. Ids are texts, as in every reply. */
export type PresenceRequest =
  | { readonly type: 'login'; readonly session: string; readonly user: string }
  | { readonly type: 'logout'; readonly session: string }
  | { readonly type: 'state'; readonly user: string; readonly place: Place }
  | { readonly type: 'looking'; readonly place: string; readonly users: readonly string[] }
  | { readonly type: 'before-enter'; readonly community: string | null; readonly room: string | null }
  | { readonly type: 'enter'; readonly user: string; readonly voice: VoiceChannel }
  /**
   * `voice` is null for any channel or call that the user is in. Only the service itself makes such
   * a request; no line of a client means it.
   */
  | { readonly type: 'leave'; readonly user: string; readonly voice: VoiceChannel | null };

/**
 * A request is not valid. The message is sent to the client. It has one line and says what is
 * wrong.
 */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** The reply to `login` and `signaling`. The protocol does not define its text. */
export const PLAIN_REPLY = 'ok';

const PLACE = /^(home|r-[1-9]\d{0,18}|c-[1-9]\d{0,18}|com[1-9]\d{0,18},c-[1-9]\d{0,18})$/;
const ID = /^[1-9]\d{0,18}$/;
/**
 * Session and user ids may have any form that fits into a reply of one line with fields separated
 * by commas.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const OPAQUE = /^[^\u0000-\u0020\u007f,]{1,128}$/;

/**
 * Reads a request from a line without its line end. The line is a JSON object, or an object in the
 * older notation of {@link parseLenient}. The text `null` counts as absent, and a number as its
 * decimal text.
 * @throws BadRequest
 */
export function parseRequest(line: string): PresenceRequest {
  const field = fieldsOf(line);
  switch (text(field('type'), 'type')) {
    case 'login':
      return { type: 'login', session: required(field, 'session_id'), user: required(field, 'user_id') };
    case 'logout':
      return { type: 'logout', session: required(field, 'session_id') };
    case 'state':
      return { type: 'state', user: required(field, 'user_id'), place: placeOf(field('channel_id'), 'channel_id') };
    case 'direct':
    case 'community': {
      const place = placeOf(field('channel_id'), 'channel_id') ?? placeOf(field('community_id'), 'community_id');
      if (place === null) throw new BadRequest('channel_id or community_id must name a place');
      return { type: 'looking', place, users: idList(field('ids')) };
    }
    case 'before-enter': {
      const place = placeOf(withPrefix(field('channel_id')), 'channel_id');
      const room = place?.startsWith('r-') ? place.slice(2) : null;
      const community = idOf(field('community_id'), 'community_id');
      if (community === null && room === null) throw new BadRequest('community_id is missing');
      return { type: 'before-enter', community, room: community === null ? room : null };
    }
    case 'enter':
      return { type: 'enter', user: required(field, 'user_id'), voice: voiceOf(field) };
    case 'signaling':
      return { type: 'leave', user: required(field, 'user_id'), voice: voiceOf(field) };
    default:
      throw new BadRequest('type must be login, logout, state, direct, community, before-enter, enter or signaling');
  }
}

/** The text `[3, 7]`, in which ids are written for the chat server and the notification service. */
export function formatIds(ids: readonly string[]): string {
  return `[${ids.join(', ')}]`;
}

/** The place of a user in a voice channel: `com1,c-11`, or `r-5` for a call. */
export function placeOfVoice(voice: VoiceChannel): string {
  return voice.community === null ? `r-${voice.channel}` : `com${voice.community},c-${voice.channel}`;
}

/** The voice channel that a place names; null when it names none. */
export function voiceOfPlace(place: Place): VoiceChannel | null {
  const found = place === null ? null : /^com(\d+),c-(\d+)$/.exec(place);
  const [, community, channel] = found ?? [];
  return community !== undefined && channel !== undefined ? { community, channel } : null;
}

type Fields = (key: string) => unknown;

function fieldsOf(line: string): Fields {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      throw new BadRequest('the request is not a JSON object');
    const object = new Map<string, unknown>(Object.entries(parsed));
    return (key) => object.get(key);
  } catch (error) {
    if (error instanceof BadRequest) throw error;
  }
  try {
    const lenient = parseLenient(line);
    return (key) => lenient.get(key);
  } catch {
    throw new BadRequest('the request is not valid JSON and not valid in the older notation');
  }
}

function text(value: unknown, key: string): string | null {
  if (value === undefined || value === null || value === 'null' || value === '') return null;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'string') return value;
  throw new BadRequest(`${key} must be a text or an integer`);
}

function required(field: Fields, key: string): string {
  const value = text(field(key), key);
  if (value === null) throw new BadRequest(`${key} is missing`);
  if (!OPAQUE.test(value)) throw new BadRequest(`${key} must be an id`);
  return value;
}

function idOf(value: unknown, key: string): string | null {
  const id = text(value, key);
  if (id !== null && !ID.test(id)) throw new BadRequest(`${key} must be an id`);
  return id;
}

function placeOf(value: unknown, key: string): Place {
  const place = text(value, key);
  if (place !== null && !PLACE.test(place)) {
    throw new BadRequest(`${key} must be a place such as home, r-5, c-11 or com1,c-11`);
  }
  return place;
}

/** Some clients send a bare `21` for the channel `c-21`. */
function withPrefix(value: unknown): unknown {
  const channel = text(value, 'channel_id');
  return channel !== null && ID.test(channel) ? `c-${channel}` : channel;
}

function voiceOf(field: Fields): VoiceChannel {
  const place = placeOf(withPrefix(field('channel_id')), 'channel_id');
  const community = idOf(field('community_id'), 'community_id');
  if (place === null) throw new BadRequest('channel_id is missing');
  if (place.startsWith('r-')) return { community: null, channel: place.slice(2) };
  const named = voiceOfPlace(place);
  if (named !== null && (community === null || community === named.community)) return named;
  if (!place.startsWith('c-')) throw new BadRequest('channel_id must be a voice channel of community_id');
  if (community === null) throw new BadRequest('community_id is missing');
  return { community, channel: place.slice(2) };
}

function idList(value: unknown): string[] {
  if (value === undefined || value === null || value === 'null') return [];
  if (!Array.isArray(value)) throw new BadRequest('ids must be a list');
  return value.map((one: unknown) => {
    const id = text(one, 'ids');
    if (id === null || !OPAQUE.test(id)) throw new BadRequest('ids must hold ids only');
    return id;
  });
}
