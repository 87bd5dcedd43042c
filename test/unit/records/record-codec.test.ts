import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { message, oneOfEach, typing } from '../../../dev/events.ts';
import { ReceivedRecord } from '../../../src/adapters/records/received-record.ts';
import { encodeRecord } from '../../../src/adapters/records/record-codec.ts';
import { RECORD_STREAMS, type RecordStream, streamOf } from '../../../src/adapters/records/record-stream.ts';
import type { ChatEvent } from '../../../src/domain/chat-event.ts';
import { NO_FILE_FACTS } from '../../../src/domain/file.ts';

const WRITTEN = Date.UTC(2026, 10, 22, 16);

interface Read {
  readonly event: ChatEvent | null;
  readonly skips: string[];
}

function read(
  stream: RecordStream,
  value: Buffer | string | object | null,
  headers: Record<string, string> = {},
  key: string | null = null,
): Read {
  const skips: string[] = [];
  const text = typeof value === 'string' || Buffer.isBuffer(value) || value === null ? value : JSON.stringify(value);
  const record = new ReceivedRecord(
    {
      key,
      value: typeof text === 'string' ? Buffer.from(text) : text,
      headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, Buffer.from(header)])),
      timestamp: String(WRITTEN),
    },
    { stream, skipped: (_, error) => skips.push(error) },
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

describe('odd texts in a record', () => {
  const half = '\ud83d';

  it('reads a value that begins with a byte order mark', () => {
    const { event, skips } = read('DIRECT', `\ufeff${JSON.stringify(direct)}`);
    expect(skips).toEqual([]);
    expect(event).toMatchObject({ kind: 'foreign', event: { content: 'hello' } });
  });

  it('repairs texts with half a surrogate pair', () => {
    const odd = { ...direct, content: `a${half}`, name: `b${half}`, profileImage: `c${half}` };
    const texts = { content: 'a\ufffd', name: 'b\ufffd', profileImage: 'c\ufffd' };
    expect(read('DIRECT', odd).event).toMatchObject({ kind: 'foreign', event: texts });
    const reply = { ...odd, type: 'reply', parentId: direct.id, parentName: half, parentContent: half };
    const quotation = { parentName: '\ufffd', parentContent: '\ufffd' };
    expect(read('DIRECT_ETC', reply).event).toMatchObject({ event: { ...texts, ...quotation } });
    const notice = { channelId: 5, type: 'typing', content: half };
    expect(read('DIRECT_ETC', notice).event).toMatchObject({ kind: 'typing', name: '\ufffd' });
    const upload = { ...file, message: half, thumbnail: half, fileName: half };
    const whole = { content: '\ufffd', thumbnail: '\ufffd', fileName: '\ufffd' };
    expect(read('FILE', upload).event).toMatchObject({ event: whole });
    const voice = { ...state, type: 'enter', communityId: '1', state: JSON.stringify({ [half]: [half] }) };
    expect(read('STATE', voice).event).toMatchObject({ state: { '\ufffd': ['\ufffd'] } });
  });

  it.each([half, 'x'.repeat(65), ''])(
    'delivers a record with the nonce %j, which is not valid, without it',
    (nonce) => {
      expect(read('DIRECT', { ...direct, nonce }, { seq: '1' }).event).toMatchObject({ content: 'hello', nonce: null });
    },
  );
});

it('reads a missing text of the parent as a deleted parent in a numbered record only', () => {
  const reply = { ...direct, type: 'reply', parentId: direct.id, parentName: '', parentContent: null };
  expect(read('DIRECT_ETC', reply, { seq: '1' }).event).toMatchObject({ kind: 'reply', parentContent: null });
  expect(read('DIRECT_ETC', reply).event).toMatchObject({ kind: 'foreign', event: { parentContent: '' } });
});

describe('records of the original server', () => {
  const parentId = '6b030f22cedf3b3501ec167e';
  const cases: [string, RecordStream, object, ChatEvent][] = [
    [
      'a direct message',
      'DIRECT',
      direct,
      {
        kind: 'foreign',
        timestamp: WRITTEN,
        event: { kind: 'message', place: 'r-5', communityId: null, content: 'hello', ...known, ...author },
      },
    ],
    [
      'a channel message',
      'CHANNEL',
      channel,
      {
        kind: 'foreign',
        timestamp: WRITTEN,
        event: { kind: 'message', place: 'c-11', communityId: 1, content: 'hello', ...known, ...author },
      },
    ],
    [
      'a channel reply',
      'CHANNEL_ETC',
      { ...channel, type: 'reply', content: 'c re', parentId, parentName: 'user1', parentContent: 'c hello' },
      {
        kind: 'foreign',
        timestamp: WRITTEN,
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
      {
        kind: 'foreign',
        timestamp: WRITTEN,
        event: { kind: 'modify', place: 'r-5', communityId: null, content: 'hello2', ...known },
      },
    ],
    [
      'a delete',
      'DIRECT_ETC',
      { ...direct, type: 'delete' },
      { kind: 'foreign', timestamp: WRITTEN, event: { kind: 'delete', place: 'r-5', communityId: null, ...known } },
    ],
    [
      'a typing event',
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
        timestamp: WRITTEN,
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
          ...NO_FILE_FACTS,
          time: Date.UTC(2026, 10, 22, 15, 50, 11, 98),
        },
      },
    ],
    [
      'a connect event',
      'STATE',
      { ...state, type: 'connect', userId: '1', ids: ['community/1', 'direct/5'] },
      { kind: 'connect', userId: 1, places: ['com-1', 'r-5'] },
    ],
    [
      'a before-enter event',
      'STATE',
      { ...state, type: 'before-enter', state: '{}', communityId: '1' },
      { kind: 'voice', communityId: 1, state: {} },
    ],
    [
      'an enter event',
      'STATE',
      { ...state, type: 'enter', state: '{"21":["1","2"]}', communityId: '1' },
      { kind: 'voice', communityId: 1, state: { '21': ['1', '2'] } },
    ],
    [
      'an exit from a voice channel',
      'STATE',
      { ...state, type: 'exit-community', typeForExit: 'out', communityId: '1', channelId: 'c-11', ids: ['3'] },
      { kind: 'voice-left', type: 'out', communityId: 1, channelId: 11, ids: ['3'] },
    ],
    [
      'an exit from a call, which has no community id',
      'STATE',
      { ...state, type: 'exit-community', typeForExit: 'out', channelId: '5', ids: ['3'] },
      { kind: 'call-left', type: 'out', roomId: 5, ids: ['3'] },
    ],
    [
      'an exit from a room',
      'STATE',
      { ...state, type: 'exit-room', typeForExit: 'out', channelId: '7', ids: ['2'] },
      { kind: 'call-left', type: 'out', roomId: 7, ids: ['2'] },
    ],
  ];
  it.each(cases)('decodes %s of an original server, and ignores unknown fields', (_, stream, value, expected) => {
    expect(read(stream, value, { __TypeId__: 'com.example.chatserver.Some' })).toEqual({
      event: expected,
      skips: [],
    });
    expect(read(stream, { ...value, unknown: { deep: [1] } }).event).toEqual(expected);
  });
});

describe('lenient decoding', () => {
  const timeOf = (localDateTime: unknown): unknown => {
    const { event } = read('DIRECT', { ...direct, localDateTime });
    return event?.kind === 'foreign' ? event.event.time : event;
  };
  it.each([
    ['an array without nanoseconds', [2026, 11, 22, 15, 49, 35], Date.UTC(2026, 10, 22, 15, 49, 35)],
    ['an array without seconds', [2026, 11, 22, 15, 49], Date.UTC(2026, 10, 22, 15, 49)],
    ['ISO text', '2026-11-22T15:49:35.642', TIME],
    ['ISO text with a zone', '2026-11-22T15:49:35.642Z', TIME],
    ['ISO text with nine digits of a second', '2026-11-22T15:49:35.642941738', TIME],
    ['ISO text with one digit of a second', '2026-11-22T15:49:35.6', TIME - 42],
    ['ISO text without seconds', '2026-11-22T15:49', Date.UTC(2026, 10, 22, 15, 49)],
    ['null, which means the time of the record', null, WRITTEN],
    ['a missing field, which means the time of the record', undefined, WRITTEN],
  ])('reads the time of a record from %s', (_, given, expected) => {
    expect(timeOf(given)).toBe(expected);
  });

  it('reads ids as text, a message id in upper case, and a missing name', () => {
    const value = { channelId: '5', userId: '1', id: direct.id.toUpperCase(), content: 'x' };
    expect(read('DIRECT', value).event).toMatchObject({
      event: { place: 'r-5', userId: 1, id: direct.id, name: '', profileImage: null },
    });
  });

  it('reads a reply without a parent as a message', () => {
    expect(read('DIRECT_ETC', { ...direct, type: 'reply' }).event).toMatchObject({ event: { kind: 'message' } });
  });
});

describe('records that cannot be decoded', () => {
  it.each<[string, RecordStream, Buffer | string | object | null, Record<string, string>?, string?]>([
    ['without a value', 'DIRECT', null],
    ['of random bytes', 'DIRECT', Buffer.from([0, 255, 1])],
    ['whose value is a list', 'DIRECT', '[1]'],
    ['without a room', 'DIRECT', { ...direct, channelId: null }],
    ['without a message id', 'DIRECT', { ...direct, id: 'x' }],
    ['of a negative user id', 'DIRECT', { ...direct, userId: -1 }],
    ['of an unknown type without a number', 'DIRECT_ETC', { ...direct, type: 'shout' }],
    ['whose type is a number', 'DIRECT_ETC', { ...direct, type: 7 }, { seq: '4' }, 'r-5'],
    ['of an unknown type whose key is no place', 'DIRECT_ETC', { ...direct, type: 'shout' }, { seq: '4' }, 'u-5'],
    ['of an unknown type whose key is a community', 'DIRECT_ETC', { ...direct, type: 'shout' }, { seq: '4' }, 'com-5'],
    ['whose time is a word', 'DIRECT', { ...direct, localDateTime: 'yesterday' }],
    ['whose time is a list of texts', 'DIRECT', { ...direct, localDateTime: ['2026', 11, 22, 15, 49] }],
    ['of a file with an unknown fileType', 'FILE', { ...file, fileType: 'smell' }],
    ['of a file in neither a room nor a channel', 'FILE', { ...file, type: 'other' }],
    ['of an unknown type of state', 'STATE', { ...state, type: 'asleep' }],
    ['whose voice state is not valid JSON', 'STATE', { ...state, type: 'enter', communityId: 1, state: '{' }],
    ['whose seq is not a number', 'DIRECT', direct, { seq: 'x' }],
    ['whose seq is zero', 'DIRECT', direct, { seq: '0' }],
    ['whose batch is not a whole number', 'DIRECT', direct, { seq: '1', batch: '1e3' }],
  ])('reads a record %s as null and reports it once', (_, stream, value, headers = {}, key = undefined) => {
    const { event, skips } = read(stream, value, headers, key);
    expect(event).toBeNull();
    expect(skips).toHaveLength(1);
  });

  it('reading a record never throws, whatever JSON its value holds', () => {
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

describe('records of a newer server', () => {
  const reaction = { ...direct, type: 'reaction', emoji: '+1' };

  it('reads a numbered record of an unknown type as an unknown event of its place', () => {
    expect(read('DIRECT_ETC', reaction, { server: 'new', seq: '4', batch: '4' }, 'r-5')).toEqual({
      event: { kind: 'unknown', place: 'r-5', seq: 4 },
      skips: [],
    });
    expect(read('CHANNEL', { type: 'reaction' }, { seq: '9' }, 'c-11').event).toEqual({
      kind: 'unknown',
      place: 'c-11',
      seq: 9,
    });
  });

  it('reads a record of bytes as well as one of texts', () => {
    const bytes = Buffer.from(JSON.stringify(reaction));
    const headers = { server: Buffer.from('new'), seq: [Buffer.from('4'), Buffer.from('5')], batch: undefined };
    const record = new ReceivedRecord(
      { key: Buffer.from('r-5'), value: bytes, headers, timestamp: WRITTEN },
      { stream: 'DIRECT_ETC', skipped: () => {} },
    );
    expect(record).toMatchObject({ key: 'r-5', server: 'new', seq: 4, batchEnd: null, isForServers: false });
    expect(record.read()).toEqual({ kind: 'unknown', place: 'r-5', seq: 4 });
  });
});

const FOR_SERVERS = new Set<string>([
  ...['members-changed', 'read', 'roster', 'moderation-changed', 'question', 'answer'],
]);

describe('isForServers', () => {
  it.each(oneOfEach().map((event) => [event.kind, event] as const))(
    'isForServers is right for a %s record',
    (kind, event) => {
      const { stream, key, headers, value } = encodeRecord({ event }, 'one');
      const record = new ReceivedRecord({ key, headers, value, timestamp: WRITTEN }, { stream, skipped: () => {} });
      expect(record.isForServers).toBe(FOR_SERVERS.has(kind));
    },
  );

  it('isForServers is false for a state record that cannot be decoded', () => {
    const skips: string[] = [];
    const source = { stream: 'STATE', skipped: (_: unknown, error: string) => skips.push(error) } as const;
    const record = new ReceivedRecord({ key: 'r-5', value: '{"type":"asleep"}', timestamp: 0 }, source);
    expect(record.isForServers).toBe(false);
    expect(record.read()).toBeNull();
    expect(skips).toEqual(['the type of state is not known']);
  });
});

it.each([
  ['moderation-changed', { server: 'one', seq: -1 }, 'service.seq is not valid'],
  ['moderation-changed', null, 'service. is not valid'],
  ['question', { server: 'one', id: 'q', question: { type: 'secrets' } }, 'service.question.type is not valid'],
  [
    'question',
    { server: 'one', id: 'q', question: { type: 'sessions', userId: '1' } },
    'service.question.userId is not valid',
  ],
  [
    'answer',
    { server: 'one', id: 'q', answer: { type: 'presence', subscribed: [0], looking: [], leftOut: 0 } },
    'service.answer.subscribed.0 is not valid',
  ],
])('skips a %s record with the fields %j', (type, service, problem) => {
  expect(read('STATE', JSON.stringify({ type, service }))).toEqual({ event: null, skips: [problem] });
});

it('reads the state of a server of an earlier version, without the figures that it does not know', () => {
  const facts = { version: '0.1.0', since: 0, sessions: 1, subscriptions: 2, deliveriesPerSecond: 3, lag: null };
  const answer = { type: 'server', ...facts, ready: true, reasons: [], degraded: [] };
  const value = JSON.stringify({ type: 'answer', service: { server: 'one', id: 'q', answer } });
  const figures = { messagesPerSecond: null, eventLoopUtilization: null, eventLoopDelayMs: null, memoryBytes: null };
  expect(read('STATE', value)).toEqual({
    event: { kind: 'answer', server: 'one', id: 'q', answer: { ...answer, ...figures } },
    skips: [],
  });
});

it('reads a file whose record has no usable data of it as a file without them', () => {
  for (const wrong of [undefined, null, 'x', -1, 1.5, 2 ** 60, {}]) {
    const value = { ...file, fileName: null, fileSize: wrong, width: wrong, height: wrong };
    expect(read('FILE', value)).toMatchObject({ event: { event: NO_FILE_FACTS }, skips: [] });
  }
  expect(read('FILE', { ...file, width: 0 })).toMatchObject({ event: { event: { width: null } } });
});

describe('encoding', () => {
  it.each(oneOfEach().map((event) => [event.kind, event] as const))(
    'a %s event is the same after encoding and decoding',
    (_, event) => {
      const { stream, headers, value } = encodeRecord({ event, batchEnd: 9 }, 'one');
      expect(read(stream, value, { ...headers })).toEqual({ event, skips: [] });
    },
  );

  it('a record of a direct message has all fields of the original server, and headers', () => {
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

  it('a record of an event without a number has no headers seq and batch', () => {
    expect(encodeRecord({ event: typing('c-1', 'Ada'), batchEnd: 4 }, 'one').headers).toEqual({ server: 'one' });
  });

  it('sends each kind of event on its stream', () => {
    const found = new Map(RECORD_STREAMS.map((kind) => [kind, new Set<string>()]));
    for (const event of oneOfEach()) found.get(streamOf(event))?.add(event.kind);
    expect(Object.fromEntries([...found].map(([kind, kinds]) => [kind, [...kinds].sort().join(' ')]))).toEqual({
      DIRECT: 'message',
      CHANNEL: 'message',
      DIRECT_ETC: 'delete modify reply typing',
      CHANNEL_ETC: 'delete modify reply typing',
      FILE: 'file',
      STATE:
        'answer call-left connect disconnect members-changed moderation-changed question read roster voice voice-left',
    });
  });
});
