import type { ServiceEndpointName } from '../../src/adapters/http/service/endpoints.ts';
import { type Call, json } from './call.ts';
import { described, integer, list, optional, ref } from './schema.ts';
import { BODIES } from './zod-bodies.ts';

const NOT_FOUND = { 404: json('There is no such message or thing.', ref('ServiceRefusal')) };
const USER = { userId: described(ref('Id'), 'The user.') };
const DAYS = optional(integer(1, 'Default: the setting of the server.', { maximum: 36_500 }));
const SIZE = { size: optional(integer(1, 'The entries of the list.', { maximum: 200, default: 50 })) };
const TRUE_OR_FALSE = optional({
  type: 'string',
  enum: ['true', 'false'],
  description: '`true`: the job only counts.',
});

/** All calls of the service API. A call that is missing here does not compile. */
export const SERVICE_CALLS: Readonly<Record<ServiceEndpointName, Call>> = {
  me: { tag: 'cluster', answers: { 200: json('The administrator.', ref('Administrator')) } },
  sendMessage: {
    tag: 'messages',
    description:
      'Members see the message like any other one. The call does not check that the user is a member. With a nonce, ' +
      'the call is safe to repeat.',
    useCases: ['SendInName'],
    body: {
      schema: BODIES.message,
      example: { place: 'r-5', userId: 1, content: 'The parcel has arrived.', nonce: 'p-7' },
    },
    answers: { 200: json('The message is stored.', ref('StoredEvent')), ...NOT_FOUND },
  },
  deleteMessage: {
    tag: 'messages',
    useCases: ['DeleteAnyMessage'],
    path: { id: ref('GivenMessageId') },
    query: { place: ref('ConversationKey') },
    answers: { 200: json('The message is deleted.', ref('StoredEvent')), ...NOT_FOUND },
  },
  disconnect: {
    tag: 'moderation',
    useCases: ['Moderate'],
    body: { schema: BODIES.disconnect, example: { userId: 1 } },
    answers: { 200: json('The sessions end.', ref('DisconnectedUser')) },
  },
  banUser: {
    tag: 'moderation',
    description: '`until` must be in the future. A second call replaces the ban.',
    useCases: ['Moderate'],
    path: USER,
    body: { schema: BODIES.ban, example: { until: '2099-12-01T00:00:00.000', reason: 'spam' } },
    answers: { 200: json('The ban holds.', ref('Ban')) },
  },
  unbanUser: {
    tag: 'moderation',
    useCases: ['Moderate'],
    path: USER,
    answers: { 200: json('No ban holds.', ref('UserOfOrder')) },
  },
  bans: {
    tag: 'moderation',
    useCases: ['Moderate'],
    answers: { 200: json('The bans that hold.', list(ref('GivenBan'))) },
  },
  muteUser: {
    tag: 'moderation',
    description: '`until` must be in the future. Each place has a mute of its own.',
    useCases: ['Moderate'],
    path: USER,
    body: { schema: BODIES.mute, example: { place: 'r-5', until: '2099-11-27T12:00:00.000' } },
    answers: { 200: json('The mute holds.', ref('Mute')) },
  },
  unmuteUser: {
    tag: 'moderation',
    useCases: ['Moderate'],
    path: USER,
    query: { place: optional(described(ref('ConversationKey'), 'Missing: lifts the mute that holds everywhere.')) },
    answers: { 200: json('No such mute holds.', ref('LiftedMute')) },
  },
  mutes: {
    tag: 'moderation',
    useCases: ['Moderate'],
    answers: { 200: json('The mutes that hold.', list(ref('GivenMute'))) },
  },
  slowMode: {
    tag: 'moderation',
    useCases: ['Moderate'],
    path: { place: ref('ConversationKey') },
    body: { schema: BODIES.slowMode, example: { seconds: 10 } },
    answers: { 200: json('The slow mode holds.', ref('SlowMode')) },
  },
  slowModes: {
    tag: 'moderation',
    useCases: ['Moderate'],
    answers: { 200: json('The places in slow mode.', list(ref('GivenSlowMode'))) },
  },
  placePresence: {
    tag: 'cluster',
    useCases: ['LookIntoCluster'],
    path: { place: ref('PlaceKey') },
    answers: { 200: json('The users in the place.', ref('PlacePresence')) },
  },
  userSessions: {
    tag: 'cluster',
    useCases: ['LookIntoCluster'],
    path: USER,
    answers: { 200: json('The sessions.', ref('UserSessions')) },
  },
  servers: {
    tag: 'cluster',
    useCases: ['LookIntoCluster'],
    answers: { 200: json('The servers.', ref('Servers')) },
  },
  busiestPlaces: {
    tag: 'cluster',
    description: 'The servers count only while somebody asks, so the first call takes a second longer.',
    useCases: ['LookIntoCluster'],
    query: SIZE,
    answers: { 200: json('The places.', ref('BusiestPlaces')) },
  },
  slowClients: {
    tag: 'cluster',
    useCases: ['LookIntoCluster'],
    query: SIZE,
    answers: { 200: json('The sessions.', ref('SlowClients')) },
  },
  beginTrace: {
    tag: 'cluster',
    description:
      'The body has either `userId` or `place`. All servers watch when the call is answered. A trace that nobody ' +
      'reads ends after a minute. With a nonce, the call is safe to repeat.',
    useCases: ['TraceTraffic'],
    body: { schema: BODIES.trace, example: { userId: 42, minutes: 10 } },
    answers: {
      201: json('The trace has begun.', ref('Trace')),
    },
  },
  readTrace: {
    tag: 'cluster',
    description: 'A trace has one reader. It ends when the reader closes the connection.',
    useCases: ['TraceTraffic'],
    path: { id: { type: 'string', description: 'The id of the trace.' } },
    answers: {
      200: { description: 'JSON lines.', contentType: 'application/x-ndjson', schema: ref('TraceLine') },
      ...NOT_FOUND,
      409: json('Somebody reads the trace already.', ref('ServiceRefusal')),
    },
  },
  exportUser: {
    tag: 'data',
    path: USER,
    answers: {
      200: { description: 'JSON lines.', contentType: 'application/x-ndjson', schema: ref('ExportLine') },
    },
  },
  eraseUser: {
    tag: 'data',
    useCases: ['EraseUser'],
    path: USER,
    query: {
      mode: {
        type: 'string',
        enum: ['anonymise', 'erase'],
        description: '`anonymise` keeps texts without their author. `erase` deletes the messages.',
      },
      'dry-run': TRUE_OR_FALSE,
    },
    answers: { 202: json('The job begins.', ref('Job')) },
  },
  tryRetention: {
    tag: 'data',
    useCases: ['RemoveExpired'],
    query: { days: DAYS, 'file-days': DAYS },
    answers: { 202: json('The job begins.', ref('Job')) },
  },
  jobs: {
    tag: 'data',
    useCases: ['DataJobs'],
    answers: { 200: json('The jobs.', ref('Jobs')) },
  },
  job: {
    tag: 'data',
    useCases: ['DataJobs'],
    path: { id: { type: 'string', description: 'The id of the job.' } },
    answers: { 200: json('The job.', ref('Job')), ...NOT_FOUND },
  },
};
