import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { message, oneOfEach, typing } from '../../../dev/events.ts';
import { KafkaRecord } from '../../../src/adapters/kafka/kafka-record.ts';
import { encodeRecord } from '../../../src/adapters/records/record-codec.ts';
import { RECORD_STREAMS, type RecordStream, streamOf } from '../../../src/adapters/records/record-stream.ts';
import type { ChatEvent } from '../../../src/domain/chat-event.ts';

const WRITTEN = Date.UTC(2026, 10, 22, 16);

interface Read {
  readonly event: ChatEvent | null;
  readonly skips: string[];
}

function read(
  stream: RecordStream,
  value: Buffer | string | object | null,
  headers: Record<string, string> = {},
): Read {
  const skips: string[] = [];
  const text = typeof value === 'string' || Buffer.isBuffer(value) || value === null ? value : JSON.stringify(value);
  const record = new KafkaRecord(
    {
      key: null,
      value: typeof text === 'string' ? Buffer.from(text) : text,
      headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, Buffer.from(header)])),
      timestamp: String(WRITTEN),
      offset: '7',
    },
    { stream, skipped: (_, reason) => skips.push(reason) },
  );
  return { event: record.read(), skips };
}

const direct = {
  id: '6b030f10cedf3b3501ec1679',
  channelId: 5,
  userId: 1,
  parentId: null,
  content: 'hello',
  thumbnail: null,
  localDateTime: [2026, 11, 22, 15, 49, 35, 642941738],
  read: null,
  type: null,
  name: 'user1',
  profileImage: 'http://img/1.png',
  parentName: null,
  parentContent: null,
};
const channel = { ...direct, communityId: 1, categoryId: null, channelId: 11 };
const state = {
  type: null,
  typeForExit: null,
  userId: null,
  state: null,
  communityId: null,
  channelId: null,
  ids: null,
};
const file = {
  id: '6b030f33cedf3b3501ec1684',
  name: 'user1',
  profileImage: 'http://img/1.png',
  message: null,
  thumbnail: null,
  userId: '1',
  channelId: 5,
  type: 'direct',
  fileType: 'image',
  time: [2026, 11, 22, 15, 50, 11, 98262537],
};
const TIME = Date.UTC(2026, 10, 22, 15, 49, 35, 642);
const known = { id: direct.id, userId: 1, time: TIME, nonce: null };
const author = { name: 'user1', profileImage: 'http://img/1.png' };

describe('records as they were seen of original servers', () => {
  const parentId = '6b030f22cedf3b3501ec167e';
  const cases: [string, RecordStream, object, ChatEvent][] = [
    [
      'a direct message',
      'DIRECT',
      direct,
      {
        kind: 'foreign',
        event: { kind: 'message', place: 'r-5', communityId: null, content: 'hello', ...known, ...author },
      },
    ],
    [
      'a channel message',
      'CHANNEL',
      channel,
      {
        kind: 'foreign',
        event: { kind: 'message', place: 'c-11', communityId: 1, content: 'hello', ...known, ...author },
      },
    ],
    [
      'a channel reply',
      'CHANNEL_ETC',
      { ...channel, type: 'reply', content: 'c re', parentId, parentName: 'user1', parentContent: 'c hello' },
      {
        kind: 'foreign',
        event: {
          kind: 'reply',
          place: 'c-11',
          communityId: 1,
          content: 'c re',
          parentId,
          parentName: 'user1',
          parentContent: 'c hello',
          ...known,
          ...author,
        },
      },
    ],
    [
      'an edit',
      'DIRECT_ETC',
      { ...direct, type: 'modify', content: 'hello2', localDateTime: [2026, 11, 22, 15, 49, 35, 642000000] },
      { kind: 'foreign', event: { kind: 'modify', place: 'r-5', communityId: null, content: 'hello2', ...known } },
    ],
    [
      'a delete',
      'DIRECT_ETC',
      { ...direct, type: 'delete' },
      { kind: 'foreign', event: { kind: 'delete', place: 'r-5', communityId: null, ...known } },
    ],
    [
      'typing',
      'DIRECT_ETC',
      { ...direct, id: null, userId: null, localDateTime: null, type: 'typing', content: 'user1', name: null },
      { kind: 'typing', place: 'r-5', name: 'user1' },
    ],
    [
      'a file',
      'FILE',
      file,
      {
        kind: 'foreign',
        event: {
          ...author,
          kind: 'file',
          place: 'r-5',
          id: file.id,
          userId: 1,
          communityId: null,
          nonce: null,
          content: '',
          thumbnail: null,
          fileType: 'image',
          time: Date.UTC(2026, 10, 22, 15, 50, 11, 98),
        },
      },
    ],
    [
      'connect',
      'STATE',
      { ...state, type: 'connect', userId: '1', ids: ['community/1', 'direct/5'] },
      { kind: 'connect', userId: 1, places: ['com-1', 'r-5'] },
    ],
    [
      'before-enter',
      'STATE',
      { ...state, type: 'before-enter', state: '{}', communityId: '1' },
      { kind: 'voice', communityId: 1, state: {} },
    ],
    [
      'enter',
      'STATE',
      { ...state, type: 'enter', state: '{"21":["1","2"]}', communityId: '1' },
      { kind: 'voice', communityId: 1, state: { '21': ['1', '2'] } },
    ],
    [
      'a voice channel left',
      'STATE',
      { ...state, type: 'exit-community', typeForExit: 'out', communityId: '1', channelId: 'c-11', ids: ['3'] },
      { kind: 'voice-left', type: 'out', communityId: 1, channelId: 11, ids: ['3'] },
    ],
    [
      'a call left, which is written as one of no community',
      'STATE',
      { ...state, type: 'exit-community', typeForExit: 'out', channelId: '5', ids: ['3'] },
      { kind: 'call-left', type: 'out', roomId: 5, ids: ['3'] },
    ],
  ];
  test.each(cases)('%s', (_, stream, value, expected) => {
    expect(read(stream, value, { __TypeId__: 'com.example.chatserver.Some' })).toEqual({
      event: expected,
      skips: [],
    });
    expect(read(stream, { ...value, unknown: { deep: [1] } }).event).toEqual(expected);
  });
});

describe('leniency', () => {
  const timeOf = (localDateTime: unknown): unknown => {
    const { event } = read('DIRECT', { ...direct, localDateTime });
    return event?.kind === 'foreign' ? event.event.time : event;
  };
  test.each([
    ['an array without nanoseconds', [2026, 11, 22, 15, 49, 35], Date.UTC(2026, 10, 22, 15, 49, 35)],
    ['an array without seconds', [2026, 11, 22, 15, 49], Date.UTC(2026, 10, 22, 15, 49)],
    ['text', '2026-11-22T15:49:35.642', TIME],
    ['text with a zone', '2026-11-22T15:49:35.642Z', TIME],
    ['text of nine digits', '2026-11-22T15:49:35.642941738', TIME],
    ['text of one digit', '2026-11-22T15:49:35.6', TIME - 42],
    ['text without seconds', '2026-11-22T15:49', Date.UTC(2026, 10, 22, 15, 49)],
    ['none: when Kafka took the record', null, WRITTEN],
    ['nothing at all', undefined, WRITTEN],
  ])('a time as %s', (_, given, expected) => {
    expect(timeOf(given)).toBe(expected);
  });

  test('ids as texts, a message id in upper case, no name', () => {
    const value = { channelId: '5', userId: '1', id: direct.id.toUpperCase(), content: 'x' };
    expect(read('DIRECT', value).event).toMatchObject({
      event: { place: 'r-5', userId: 1, id: direct.id, name: '', profileImage: null },
    });
  });

  test('a reply that names no parent is shown as a message', () => {
    expect(read('DIRECT_ETC', { ...direct, type: 'reply' }).event).toMatchObject({ event: { kind: 'message' } });
  });
});

describe('what can not be decoded', () => {
  test.each<[string, RecordStream, Buffer | string | object | null, Record<string, string>?]>([
    ['no value', 'DIRECT', null],
    ['random bytes', 'DIRECT', Buffer.from([0, 255, 1])],
    ['no object', 'DIRECT', '[1]'],
    ['no room', 'DIRECT', { ...direct, channelId: null }],
    ['no message id', 'DIRECT', { ...direct, id: 'x' }],
    ['no user', 'DIRECT', { ...direct, userId: -1 }],
    ['an unknown type', 'DIRECT_ETC', { ...direct, type: 'shout' }],
    ['a time of words', 'DIRECT', { ...direct, localDateTime: 'yesterday' }],
    ['a time of texts', 'DIRECT', { ...direct, localDateTime: ['2026', 11, 22, 15, 49] }],
    ['a file of an unknown kind', 'FILE', { ...file, fileType: 'smell' }],
    ['a file of nowhere', 'FILE', { ...file, type: 'else' }],
    ['a state of no known type', 'STATE', { ...state, type: 'asleep' }],
    ['a voice state that is no JSON', 'STATE', { ...state, type: 'enter', communityId: 1, state: '{' }],
    ['a seq that is no number', 'DIRECT', direct, { seq: 'x' }],
    ['a seq of zero', 'DIRECT', direct, { seq: '0' }],
    ['a batch that is no number', 'DIRECT', direct, { seq: '1', batch: '1e3' }],
  ])('%s is told once, and read as null', (_, stream, value, headers = {}) => {
    const { event, skips } = read(stream, value, headers);
    expect(event).toBeNull();
    expect(skips).toHaveLength(1);
  });

  test('nothing that JSON can hold makes the reader throw', () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string(),
      fc.object().map((value) => JSON.stringify({ ...direct, ...value })),
      fc.object().map((value) => JSON.stringify({ ...state, type: 'roster', roster: value })),
    );
    fc.assert(
      fc.property(fc.constantFrom(...RECORD_STREAMS), anything, (stream, value) => {
        read(stream, value);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is written', () => {
  test.each(oneOfEach().map((event) => [event.kind, event] as const))('%s is read as it was', (_, event) => {
    const { stream, headers, value } = encodeRecord({ event, batchEnd: 9 }, 'one');
    expect(read(stream, value, { ...headers })).toEqual({ event, skips: [] });
  });

  test('the fields of a direct message, nulls and all, and its headers', () => {
    const encoded = encodeRecord({ event: message('r-5', 3), batchEnd: 4 }, 'one');
    expect(encoded).toMatchObject({
      stream: 'DIRECT',
      key: 'r-5',
      headers: { server: 'one', seq: '3', batch: '4' },
    });
    expect(JSON.parse(encoded.value)).toEqual({
      id: '000000000000000000000003',
      channelId: 5,
      userId: 3,
      parentId: null,
      content: 'text 3',
      thumbnail: null,
      localDateTime: '2026-11-22T15:49:35.645',
      read: null,
      type: null,
      name: 'Ada',
      profileImage: null,
      parentName: null,
      parentContent: null,
      nonce: null,
    });
  });

  test('what has no number has no headers for it', () => {
    expect(encodeRecord({ event: typing('c-1', 'Ada'), batchEnd: 4 }, 'one').headers).toEqual({ server: 'one' });
  });

  test('each topic carries its kinds', () => {
    const found = new Map(RECORD_STREAMS.map((kind) => [kind, new Set<string>()]));
    for (const event of oneOfEach()) found.get(streamOf(event))?.add(event.kind);
    expect(Object.fromEntries([...found].map(([kind, kinds]) => [kind, [...kinds].sort().join(' ')]))).toEqual({
      DIRECT: 'message',
      CHANNEL: 'message',
      DIRECT_ETC: 'delete modify reply typing',
      CHANNEL_ETC: 'delete modify reply typing',
      FILE: 'file',
      STATE: 'call-left connect disconnect members-changed roster voice voice-left',
    });
  });
});
