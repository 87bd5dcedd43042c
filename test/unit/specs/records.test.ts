import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordHeaders } from '../../../scripts/specs/asyncapi.ts';
import { TOPIC_TABLE } from '../../../scripts/specs/record-schemas.ts';
import { ref } from '../../../scripts/specs/schema.ts';
import { decodeRecord, encodeRecord } from '../../../src/adapters/records/index.ts';
import type { OutgoingEvent } from '../../../src/application/ports/message-bus.ts';
import { isStored } from '../../../src/domain/stored-event.ts';
import { arbitraryOf } from '../../support/specs/arbitrary.ts';
import { SchemaChecker } from '../../support/specs/schema-checker.ts';

const ID = '6b033ecf859dd95009991b4f';
const COMMON = { seq: 7, id: ID, userId: 1, time: 1_795_362_575_642, nonce: 'n-1' };
const ROOM = { ...COMMON, place: 'r-5', communityId: null } as const;
const CHANNEL = { ...COMMON, nonce: null, place: 'c-11', communityId: 1 } as const;
const AUTHOR = { name: 'Ada', profileImage: null };
const REPLY = { parentId: ID, parentName: 'Grace', parentContent: 'Hello' };
const FILE = { thumbnail: null, fileType: 'image', fileName: 'a.png', fileSize: 10, width: 1, height: null } as const;
const SESSIONS = { server: 'chat-1', epoch: 5, version: 1, left: [] };

/** Events of each kind. A kind that is missing does not compile. */
const EVENTS: { readonly [K in OutgoingEvent['kind']]: readonly (OutgoingEvent & { readonly kind: K })[] } = {
  message: [ROOM, CHANNEL].map((place) => ({ kind: 'message', ...place, ...AUTHOR, content: 'Hello' })),
  reply: [
    ...[ROOM, CHANNEL].map((place) => ({ kind: 'reply' as const, ...place, ...AUTHOR, ...REPLY, content: 'Hi' })),
    { kind: 'reply', ...ROOM, ...AUTHOR, ...REPLY, content: 'Hi', parentName: '', parentContent: null },
  ],
  modify: [ROOM, CHANNEL].map((place) => ({ kind: 'modify', ...place, content: 'Hello' })),
  delete: [ROOM, CHANNEL].map((place) => ({ kind: 'delete', ...place })),
  file: [ROOM, CHANNEL].map((place) => ({ kind: 'file', ...place, ...AUTHOR, ...FILE, content: 'key' })),
  typing: [
    { kind: 'typing', place: 'r-5', name: 'Ada' },
    { kind: 'typing', place: 'c-11', name: 'Ada' },
  ],
  connect: [{ kind: 'connect', userId: 1, places: ['r-5', 'com-1'] }],
  disconnect: [{ kind: 'disconnect', userId: 1, places: [] }],
  voice: [{ kind: 'voice', communityId: 1, state: { 11: ['3'], 12: [] } }],
  'voice-left': [{ kind: 'voice-left', type: 'out', communityId: 1, channelId: 11, ids: ['3'] }],
  'call-left': [{ kind: 'call-left', type: 'in', roomId: 5, ids: [] }],
  'members-changed': [
    { kind: 'members-changed', place: 'r-5', members: [1, 2] },
    { kind: 'members-changed', place: 'com-1', members: [] },
  ],
  read: [{ kind: 'read', userId: 1, place: 'r-5', seq: 0 }],
  roster: [
    { kind: 'roster', ...SESSIONS, type: 'delta', joined: [{ sessionId: 's', userId: 1 }] },
    { kind: 'roster', ...SESSIONS, type: 'roster', joined: [], part: 1, parts: 2 },
  ],
  'moderation-changed': [{ kind: 'moderation-changed', server: 'chat-1', seq: 1 }],
  question: [{ kind: 'question', server: 'chat-1', id: 'q', question: { type: 'server' } }],
  answer: [{ kind: 'answer', server: 'chat-1', id: 'q', answer: { type: 'sessions', sessions: [] } }],
};

const checker = new SchemaChecker({ isClosed: true });

describe('the records of Kafka', () => {
  it.each(
    Object.values(EVENTS)
      .flat()
      .map((event) => ({ kind: event.kind, event })),
  )('the record of an event $kind fits the schema of its topic', ({ event }) => {
    const { stream, value, headers } = encodeRecord({ event, batchEnd: 8 }, 'chat-1');
    const topic = TOPIC_TABLE.find((each) => each.stream === stream);
    expect(checker.mismatch(ref(topic?.value ?? ''), JSON.parse(value))).toBeNull();
    expect(checker.mismatch(recordHeaders(topic?.isNumbered ?? false), headers)).toBeNull();
    expect('seq' in headers).toBe(isStored(event));
  });

  it.each(TOPIC_TABLE.filter(({ stream }) => stream !== 'STATE'))(
    'the server reads every value of $topic that the schema accepts',
    ({ value, stream, isNumbered }) => {
      fc.assert(
        fc.property(arbitraryOf(ref(value)), (fields) => {
          expect(checker.mismatch(ref(value), fields)).toBeNull();
          // A random text may not be a time, or name an id above 2^53 - 1.
          const text = JSON.stringify({ ...(fields as object), time: null, localDateTime: null });
          if (/\d{16}/.test(text)) return;
          const frame = { stream, key: 'r-5', seq: isNumbered ? 1 : null, timestamp: 0 };
          expect(decodeRecord(text, frame).kind).not.toBe('unknown');
        }),
        { numRuns: 100 },
      );
    },
  );
});
