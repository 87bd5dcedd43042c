import { TRACE_STEPS } from '../../src/domain/trace.ts';
import { HEALTH } from './basic-schemas.ts';
import { described, integer, list, nullable, object, ref, type Schema, text } from './schema.ts';

const BY = {
  admin: text('The name of the administrator.'),
  at: described(ref('Time'), 'When the order was given.'),
};
const BAN = {
  userId: ref('Id'),
  until: nullable(described(ref('Time'), 'Null: for ever.')),
  reason: nullable(text('For administrators only.')),
};
const MUTE = {
  userId: ref('Id'),
  place: nullable(described(ref('ConversationKey'), 'Null: everywhere.')),
  until: nullable(described(ref('Time'), 'Null: for ever.')),
};
const SLOW = { place: ref('ConversationKey'), seconds: ref('SlowModeSeconds') };
const MISSING = list(text(), { description: 'Live servers that did not answer in time.' });
const NULL_USER = nullable(described(ref('Id'), 'Null after the job is done.'));
const DAYS = nullable(integer(1, 'Null: kept for ever.'));

const TRACE = {
  id: text('The id of the trace.'),
  userId: nullable(described(ref('Id'), 'The traced user.')),
  place: nullable(described(ref('PlaceKey'), 'The traced place.')),
  until: described(ref('Time'), 'When the trace ends.'),
};

function rate(description: string): Schema {
  return { type: 'number', minimum: 0, description };
}

/** A stored message as an export shows it. */
const STORED_MESSAGE = object(
  { id: ref('MessageId'), place: ref('ConversationKey'), userId: integer(0), time: ref('Time') },
  { description: 'The message with all its stored fields.', additionalProperties: true },
);

/** The schemas of the answers of the service API. */
export const SERVICE_SCHEMAS = {
  Administrator: object({
    admin: text('The name of the administrator.'),
    pageActions: { type: 'boolean', description: 'True: web pages may make calls that change something.' },
  }),
  StoredEvent: object({ id: ref('MessageId'), seq: described(ref('Seq'), 'The number of the event.') }),
  DisconnectedUser: object({ sessions: integer(0, 'The sessions that were ended, on all servers.') }),
  UserOfOrder: object({ userId: ref('Id') }),
  Ban: object(BAN),
  GivenBan: object({ ...BAN, ...BY }),
  Mute: object(MUTE),
  LiftedMute: object({ userId: MUTE.userId, place: MUTE.place }),
  GivenMute: object({ ...MUTE, ...BY }),
  SlowMode: object(SLOW),
  GivenSlowMode: object({ ...SLOW, ...BY }),
  PlacePresence: object({
    subscribed: list(ref('Id'), { description: 'The users with a subscription.' }),
    looking: list(ref('Id'), { description: 'The users who look at the place.' }),
    leftOut: integer(0, 'Users who are not listed because they are too many.'),
    missing: MISSING,
  }),
  Session: object({
    server: text('The id of the server.'),
    since: ref('Time'),
    address: text('The address of the client; empty if unknown.'),
    transport: text('Such as `websocket` or `xhr_streaming`.'),
    places: list(ref('PlaceKey'), { description: 'The subscribed places, at most 1,000.' }),
    subscriptions: integer(0, 'All subscriptions, also those to queues.'),
    waitingBytes: integer(0, 'Bytes that wait for the client.'),
  }),
  UserSessions: object({ sessions: list(ref('Session'), { description: 'Oldest first.' }), missing: MISSING }),
  Server: object({
    server: text('The id of the server.'),
    version: text(),
    since: ref('Time'),
    sessions: integer(0),
    subscriptions: integer(0),
    deliveriesPerSecond: rate('Events handed to subscriptions in the last second.'),
    messagesPerSecond: nullable(rate('Messages and replies of clients. Null: an older server.')),
    eventLoopUtilization: nullable(rate('From 0 to 1. Null: an older server.')),
    eventLoopDelayMs: nullable(rate('The longest delay. Null until it was measured for a second.')),
    memoryBytes: nullable(integer(0, 'Null: an older server.')),
    lag: nullable(integer(0, 'Records that wait to be read; null without Kafka.')),
    ...HEALTH.properties,
  }),
  BusyPlace: object({
    place: ref('PlaceKey'),
    eventsPerSecond: rate('Events of the place.'),
    deliveriesPerSecond: rate('Events handed to subscriptions of any server.'),
    subscriptions: integer(0),
  }),
  BusiestPlaces: object({ places: list(ref('BusyPlace'), { description: 'The busiest first.' }), missing: MISSING }),
  SlowClient: object({
    server: text('The id of the server.'),
    userId: ref('Id'),
    since: ref('Time'),
    address: text('The address of the client; empty if unknown.'),
    transport: text('Such as `websocket` or `xhr_streaming`.'),
    subscriptions: integer(0, 'All subscriptions, also those to queues.'),
    waitingBytes: integer(0, 'Bytes that wait for the client.'),
  }),
  SlowClients: object({
    clients: list(ref('SlowClient'), { description: 'The slowest first.' }),
    leftOut: integer(0, 'Clients that are not listed because they are too many.'),
    missing: MISSING,
  }),
  Servers: object({ servers: list(ref('Server')), missing: MISSING }),
  JobTask: {
    description: 'The work of a job.',
    oneOf: [
      object({ kind: { type: 'string', const: 'retention' }, dryRun: { type: 'boolean', const: false } }),
      object({
        kind: { type: 'string', const: 'retention-dry-run' },
        dryRun: { type: 'boolean', const: true },
        days: DAYS,
        fileDays: DAYS,
      }),
      object({
        kind: { type: 'string', const: 'erasure' },
        userId: NULL_USER,
        mode: { type: 'string', enum: ['anonymise', 'erase'] },
        dryRun: { type: 'boolean' },
      }),
    ],
  },
  Job: object({
    id: text(),
    task: ref('JobTask'),
    state: { type: 'string', enum: ['waiting', 'running', 'done', 'failed'] },
    counts: {
      type: 'object',
      description: 'What was done so far, by kind. In a dry run: what would be done.',
      additionalProperties: integer(0),
    },
    error: nullable(text('The last error. A job that waits is tried again.')),
    created: ref('Time'),
    finished: nullable(ref('Time')),
    next: nullable(described(ref('Time'), 'When a job that waits begins.')),
    copies: list(text(), { description: 'What else keeps copies of removed data, and until when.' }),
  }),
  Jobs: object({ jobs: list(ref('Job'), { description: 'Newest first, at most 200.' }) }),
  Trace: object({ ...TRACE, missing: MISSING }),
  TraceLine: {
    description: 'A line of a trace. The first is `begin`, the last is `end`.',
    oneOf: [
      object({
        type: { type: 'string', const: 'begin' },
        ...TRACE,
        servers: list(text(), { description: 'The servers that watch.' }),
        missing: MISSING,
      }),
      object({
        type: { type: 'string', const: 'step' },
        time: ref('Time'),
        server: text('The id of the server.'),
        step: { type: 'string', enum: [...TRACE_STEPS] },
        kind: nullable(text('Kind of the frame, event or call.')),
        userId: nullable(described(ref('Id'), 'The user who acted or who got the frame.')),
        session: nullable(text('The beginning of the id of the session.')),
        place: nullable(ref('PlaceKey')),
        seq: nullable(integer(0, 'The number of the event.')),
        messageId: nullable(ref('MessageId')),
        author: nullable(described(ref('Id'), 'The user who caused the event.')),
        code: nullable(integer(0, 'The code of the refusal or of the close.')),
        reason: nullable(text('The name of the refusal, or why the connection ended.')),
        count: nullable(integer(0, 'The subscriptions of the server that got the event.')),
      }),
      object({
        type: { type: 'string', const: 'server' },
        server: text('The id of the server.'),
        state: { type: 'string', enum: ['watching', 'silent'] },
      }),
      object({
        type: { type: 'string', const: 'dropped' },
        server: text('The id of the server.'),
        count: integer(1, 'Steps that are missing here.'),
      }),
      object({ type: { type: 'string', const: 'alive' } }),
      object({ type: { type: 'string', const: 'end' }, reason: { type: 'string', enum: ['time', 'server'] } }),
    ],
  },
  ExportLine: {
    description: 'A line of an export. The last one is `end`; without it, the export is not complete.',
    oneOf: [
      object({ type: { type: 'string', const: 'user' }, userId: ref('Id'), time: ref('Time') }),
      object({
        type: { type: 'string', const: 'message' },
        message: STORED_MESSAGE,
        files: list(text('A link to a file of the message.')),
      }),
      object({ type: { type: 'string', const: 'event' }, event: { ...STORED_MESSAGE, description: 'The event.' } }),
      object({
        type: { type: 'string', const: 'read' },
        position: object({ place: ref('ConversationKey'), seq: ref('NewestSeq') }),
      }),
      object({ type: { type: 'string', const: 'ban' }, ban: object({ ...BAN, at: BY.at }) }),
      object({ type: { type: 'string', const: 'mute' }, mute: object({ ...MUTE, at: BY.at }) }),
      object({ type: { type: 'string', const: 'end' }, lines: integer(1, 'The lines of the export.') }),
    ],
  },
  ModeratorQuestion: object({
    userId: ref('Id'),
    place: ref('ConversationKey'),
    kind: { type: 'string', enum: ['message', 'reply', 'edit'] },
    content: text('The text.'),
  }),
} as const satisfies Record<string, Schema>;
