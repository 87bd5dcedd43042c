import type { CallLeft, PresenceChanged, VoiceLeft, VoiceShown, VoiceState } from '../../domain/chat-event.ts';
import type { ClusterEvent, MembersChanged, SessionEntry, SessionsReport } from '../../domain/cluster-event.ts';
import { parseId } from '../../domain/ids.ts';
import { communityKey, idOf, isRoom, type PlaceKey, roomKey } from '../../domain/place.ts';
import { parsePlaceTexts, placeText } from './place-text.ts';
import { type Fields, isFields, readId, readText, readTexts, Undecodable } from './record-fields.ts';

type StateEvent = PresenceChanged | VoiceShown | VoiceLeft | CallLeft | ClusterEvent;

const BLANK = {
  type: null,
  typeForExit: null,
  userId: null,
  state: null,
  communityId: null,
  channelId: null,
  ids: null,
};

export function encodeState(event: StateEvent): Fields {
  switch (event.kind) {
    case 'connect':
    case 'disconnect':
      return { ...BLANK, type: event.kind, userId: String(event.userId), ids: event.places.map(placeText) };
    case 'voice':
      return { ...BLANK, type: 'enter', state: JSON.stringify(event.state), communityId: String(event.communityId) };
    case 'voice-left':
      return {
        ...BLANK,
        type: 'exit-community',
        typeForExit: event.type,
        communityId: String(event.communityId),
        channelId: `c-${event.channelId}`,
        ids: event.ids,
      };
    case 'call-left':
      return {
        ...BLANK,
        type: 'exit-direct',
        typeForExit: event.type,
        channelId: String(event.roomId),
        ids: event.ids,
      };
    case 'members-changed': {
      const { place } = event;
      const where = isRoom(place) ? { channelId: place } : { communityId: String(idOf(place)) };
      return { ...BLANK, type: 'members-changed', ...where, ids: event.members.map(String) };
    }
    case 'roster': {
      const { kind, server, epoch, version, type, ...sessions } = event;
      return { ...BLANK, type: kind, roster: { server, epoch, version, what: type, ...sessions } };
    }
  }
}

/** Texts that name neither a room nor a community are left out. @throws Undecodable */
function readPlaces(fields: Fields): PlaceKey[] {
  return parsePlaceTexts(readTexts(fields.ids ?? [], 'ids'));
}

/** @throws Undecodable */
export function decodeState(fields: Fields): StateEvent {
  const { type } = fields;
  switch (type) {
    case 'connect':
    case 'disconnect':
      return { kind: type, userId: readId(fields, 'userId'), places: readPlaces(fields) };
    case 'before-enter':
    case 'enter':
      return { kind: 'voice', communityId: readId(fields, 'communityId'), state: voiceState(fields) };
    case 'exit-community':
    case 'exit-direct':
      return exit(fields);
    case 'members-changed':
      return membersChanged(fields);
    case 'roster':
      return roster(fields);
    default:
      throw new Undecodable('unknown type of state');
  }
}

/** A server of the first generation writes a call that was left as one of a community without its id. */
function exit(fields: Fields): VoiceLeft | CallLeft {
  const type = fields.typeForExit === 'in' ? 'in' : 'out';
  const ids = readTexts(fields.ids ?? [], 'ids');
  const place = placeId(fields);
  const communityId = parseId(fields.communityId);
  if (communityId === null) return { kind: 'call-left', type, roomId: place, ids };
  return { kind: 'voice-left', type, communityId, channelId: place, ids };
}

function placeId({ channelId }: Fields): number {
  const id = parseId(typeof channelId === 'string' ? channelId.replace(/^[cr]-/, '') : channelId);
  if (id === null) throw new Undecodable('channelId is no place');
  return id;
}

function voiceState(fields: Fields): VoiceState {
  let state: unknown = fields.state ?? {};
  if (typeof state === 'string') {
    try {
      state = JSON.parse(state);
    } catch {
      throw new Undecodable('state is no JSON');
    }
  }
  if (!isFields(state)) throw new Undecodable('state is no object');
  return Object.fromEntries(Object.entries(state).map(([channel, ids]) => [channel, readTexts(ids, 'state')]));
}

function membersChanged(fields: Fields): MembersChanged {
  const communityId = parseId(fields.communityId);
  const place = communityId === null ? roomKey(placeId(fields)) : communityKey(communityId);
  const members = readTexts(fields.ids, 'ids').map((text) => userId(text));
  return { kind: 'members-changed', place, members };
}

const REPORT_TYPES: ReadonlySet<string> = new Set<SessionsReport['type']>(['hello', 'roster', 'delta', 'alive', 'bye']);

function isReportType(text: string | null): text is SessionsReport['type'] {
  return text !== null && REPORT_TYPES.has(text);
}

function roster({ roster: told }: Fields): SessionsReport {
  if (!isFields(told)) throw new Undecodable('a roster without content');
  const server = readText(told, 'server');
  const type = readText(told, 'what');
  if (server === null || !isReportType(type)) throw new Undecodable('a roster of nobody or of nothing');
  if (!Array.isArray(told.joined)) throw new Undecodable('joined is no list');
  const { part, parts } = told;
  return {
    kind: 'roster',
    server,
    epoch: count(told.epoch),
    version: count(told.version),
    type,
    joined: told.joined.map(rosterEntry),
    left: readTexts(told.left, 'left'),
    ...(part === undefined ? {} : { part: count(part) }),
    ...(parts === undefined ? {} : { parts: count(parts) }),
  };
}

function rosterEntry(entry: unknown): SessionEntry {
  const sessionId = isFields(entry) ? readText(entry, 'sessionId') : null;
  if (!isFields(entry) || sessionId === null) throw new Undecodable('joined holds no session');
  return { sessionId, userId: userId(entry.userId) };
}

function userId(value: unknown): number {
  const id = parseId(value);
  if (id === null) throw new Undecodable('a user id is none');
  return id;
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Undecodable('no count');
  return value;
}
