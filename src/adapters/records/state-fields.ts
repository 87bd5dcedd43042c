import type { CallLeft, PresenceChanged, VoiceLeft, VoiceShown, VoiceState } from '../../domain/chat-event.ts';
import type {
  ClusterEvent,
  MembersChanged,
  PlaceRead,
  SessionEntry,
  SessionsReport,
} from '../../domain/cluster-event.ts';
import { parseId } from '../../domain/ids.ts';
import { communityKey, idOf, isRoom, type PlaceKey, parseConversationKey, roomKey } from '../../domain/place.ts';
import { parseJsonText } from '../support/json-text.ts';
import { parsePlaceTexts, placeText } from './place-text.ts';
import { type Fields, isFields, readId, readText, readTexts, Undecodable } from './record-fields.ts';
import { decodeService, encodeService } from './service-fields.ts';

type StateEvent = PresenceChanged | VoiceShown | VoiceLeft | CallLeft | ClusterEvent;

/** The fields of the original server. It writes null for a field that an event does not have. */
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
    case 'read':
      return {
        ...BLANK,
        type: 'read',
        userId: String(event.userId),
        channelId: event.place,
        seq: event.seq,
      };
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return { ...BLANK, ...encodeService(event) };
    case 'roster': {
      const { kind, server, epoch, version, type, ...sessions } = event;
      return { ...BLANK, type: kind, roster: { server, epoch, version, what: type, ...sessions } };
    }
  }
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
      return { kind: 'voice', communityId: readId(fields, 'communityId'), state: readVoiceState(fields) };
    case 'exit-community':
    case 'exit-direct':
    // The original's own type, written while its servers run beside these.
    case 'exit-room':
      return readExit(fields);
    case 'members-changed':
      return readMembersChanged(fields);
    case 'read':
      return readPlaceRead(fields);
    case 'roster':
      return readSessionsReport(fields);
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return decodeService(type, fields);
    default:
      // Either the value is damaged, or a newer server wrote it. Such events have no number, so
      // nothing waits for them.
      throw new Undecodable('the type of state is not known');
  }
}

/** Texts that do not name a room, a channel or a community are left out. @throws Undecodable */
function readPlaces(fields: Fields): PlaceKey[] {
  return parsePlaceTexts(readTexts(fields.ids ?? [], 'ids'));
}

/** For a call that was left, the original writes the type of a community without a community id. */
function readExit(fields: Fields): VoiceLeft | CallLeft {
  const type = fields.typeForExit === 'in' ? 'in' : 'out';
  const ids = readTexts(fields.ids ?? [], 'ids');
  const place = readPlaceId(fields);
  const communityId = parseId(fields.communityId);
  if (communityId === null) return { kind: 'call-left', type, roomId: place, ids };
  return { kind: 'voice-left', type, communityId, channelId: place, ids };
}

/** Reads the number of `r-5`, `c-11` or 5. */
function readPlaceId({ channelId }: Fields): number {
  const id = parseId(typeof channelId === 'string' ? channelId.replace(/^[cr]-/, '') : channelId);
  if (id === null) throw new Undecodable('channelId must name a room or a channel');
  return id;
}

function readVoiceState(fields: Fields): VoiceState {
  let state: unknown = fields.state ?? {};
  if (typeof state === 'string') {
    try {
      state = parseJsonText(state);
    } catch {
      throw new Undecodable('state is not valid JSON');
    }
  }
  if (!isFields(state)) throw new Undecodable('state is not a JSON object');
  return Object.fromEntries(Object.entries(state).map(([channel, ids]) => [channel, readTexts(ids, 'state')]));
}

function readMembersChanged(fields: Fields): MembersChanged {
  const communityId = parseId(fields.communityId);
  const place = communityId === null ? roomKey(readPlaceId(fields)) : communityKey(communityId);
  const members = readTexts(fields.ids, 'ids').map((text) => readUserId(text));
  return { kind: 'members-changed', place, members };
}

function readPlaceRead(fields: Fields): PlaceRead {
  const place = parseConversationKey(readText(fields, 'channelId') ?? '');
  if (place === null) throw new Undecodable('channelId must name a room or a channel');
  return { kind: 'read', userId: readId(fields, 'userId'), place, seq: readCount(fields.seq, 'seq') };
}

type ReportType = SessionsReport['type'];

const REPORT_TYPES: Readonly<Record<ReportType, true>> = {
  hello: true,
  roster: true,
  delta: true,
  alive: true,
  bye: true,
};

function isReportType(text: string | null): text is ReportType {
  return text !== null && Object.hasOwn(REPORT_TYPES, text);
}

function readSessionsReport({ roster: report }: Fields): SessionsReport {
  if (!isFields(report)) throw new Undecodable('roster is not a JSON object');
  const server = readText(report, 'server');
  const type = readText(report, 'what');
  if (server === null) throw new Undecodable('roster.server is missing');
  if (!isReportType(type)) throw new Undecodable('roster.what is not known');
  if (!Array.isArray(report.joined)) throw new Undecodable('roster.joined must be a list');
  const { part, parts } = report;
  return {
    kind: 'roster',
    server,
    epoch: readCount(report.epoch, 'roster.epoch'),
    version: readCount(report.version, 'roster.version'),
    type,
    joined: report.joined.map(readSessionEntry),
    left: readTexts(report.left, 'roster.left'),
    ...(part === undefined ? {} : { part: readCount(part, 'roster.part') }),
    ...(parts === undefined ? {} : { parts: readCount(parts, 'roster.parts') }),
  };
}

function readSessionEntry(entry: unknown): SessionEntry {
  const sessionId = isFields(entry) ? readText(entry, 'sessionId') : null;
  if (!isFields(entry) || sessionId === null) throw new Undecodable('an entry of roster.joined has no sessionId');
  return { sessionId, userId: readUserId(entry.userId) };
}

function readUserId(value: unknown): number {
  const id = parseId(value);
  if (id === null) throw new Undecodable('a user id must be a positive integer');
  return id;
}

function readCount(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new Undecodable(`${name} must be a whole number from 0 up`);
  }
  return value;
}
