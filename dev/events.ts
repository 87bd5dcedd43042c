import type { OutgoingEvent } from '../src/application/ports/message-bus.ts';
import type { TypingShown } from '../src/domain/chat-event.ts';
import { NO_FILE_FACTS } from '../src/domain/file.ts';
import type { ConversationKey } from '../src/domain/place.ts';
import type { MessageCreated } from '../src/domain/stored-event.ts';

const AUTHOR = { userId: 3, name: 'Ada', profileImage: null, nonce: null } as const;
const TIME = Date.UTC(2026, 10, 22, 15, 49, 35, 642);
const HEX = '6b030f10cedf3b3501ec1679';
const ROOM = { place: 'r-5', id: HEX, time: TIME, communityId: null } as const;
const CHANNEL = { place: 'c-11', id: HEX, time: TIME, communityId: 1 } as const;
const PARENT = { parentId: '00000000000000000000beef', parentName: 'Bob', parentContent: 'first' };

const PICTURE = { fileType: 'image', fileName: '고양이 "1".png', fileSize: 0, width: 640, height: 480 } as const;
const VIDEO = { fileType: 'video', ...NO_FILE_FACTS } as const;

export function message(place: ConversationKey, seq: number): MessageCreated {
  const id = seq.toString(16).padStart(24, '0');
  const communityId = place.startsWith('c-') ? 1 : null;
  return { kind: 'message', place, seq, id, time: TIME + seq, communityId, content: `text ${seq}`, ...AUTHOR };
}

export function typing(place: ConversationKey, name: string): TypingShown {
  return { kind: 'typing', place, name };
}

type OfKind<K extends OutgoingEvent['kind']> = OutgoingEvent extends infer E
  ? E extends { readonly kind: infer Kinds }
    ? K extends Kinds
      ? E & { readonly kind: K }
      : never
    : never
  : never;

/**
 * Events of each kind that servers send to each other. A kind that is missing here does not
 * compile.
 */
const SAMPLES: { readonly [K in OutgoingEvent['kind']]: readonly [OfKind<K>, ...OfKind<K>[]] } = {
  message: [
    message('r-5', 1),
    message('c-11', 1),
    { kind: 'message', ...ROOM, seq: 2, ...AUTHOR, nonce: 'n-1', content: '안녕 "q" \\ \n </b> \u{1F600} :' },
  ],
  reply: [
    { kind: 'reply', ...ROOM, seq: 3, ...AUTHOR, content: 're', ...PARENT },
    { kind: 'reply', ...CHANNEL, seq: 2, ...AUTHOR, content: 're', ...PARENT },
    { kind: 'reply', ...ROOM, seq: 7, ...AUTHOR, content: 're', ...PARENT, parentName: '', parentContent: null },
  ],
  file: [
    { kind: 'file', ...ROOM, seq: 4, ...AUTHOR, content: 'key/a.png', thumbnail: null, ...PICTURE },
    { kind: 'file', ...CHANNEL, seq: 3, ...AUTHOR, content: 'key/a.mp4', thumbnail: 'key/t', ...VIDEO },
  ],
  modify: [
    { kind: 'modify', ...ROOM, seq: 5, userId: 3, nonce: 'n-2', content: 'new' },
    { kind: 'modify', ...CHANNEL, communityId: null, seq: 4, userId: 3, nonce: null, content: 'new' },
  ],
  delete: [
    { kind: 'delete', ...ROOM, seq: 6, userId: 3, nonce: null },
    { kind: 'delete', ...CHANNEL, seq: 5, userId: 3, nonce: 'n-3' },
  ],
  typing: [typing('r-5', 'Ada'), typing('c-11', 'Ada')],
  connect: [{ kind: 'connect', userId: 3, places: ['com-1', 'r-5'] }],
  disconnect: [{ kind: 'disconnect', userId: 3, places: [] }],
  voice: [{ kind: 'voice', communityId: 1, state: { '11': ['3', '7'], '12': [] } }],
  'voice-left': [{ kind: 'voice-left', type: 'out', communityId: 1, channelId: 11, ids: ['3'] }],
  'call-left': [{ kind: 'call-left', type: 'in', roomId: 5, ids: [] }],
  'members-changed': [
    { kind: 'members-changed', place: 'r-5', members: [1, 2] },
    { kind: 'members-changed', place: 'com-1', members: [] },
  ],
  read: [{ kind: 'read', userId: 3, place: 'c-11', seq: 44 }],
  'moderation-changed': [{ kind: 'moderation-changed', server: 'one', seq: 12 }],
  question: [
    { kind: 'question', server: 'one', id: 'q-1', question: { type: 'sessions', userId: 3 } },
    { kind: 'question', server: 'one', id: 'q-2', question: { type: 'presence', place: 'com-1' } },
    { kind: 'question', server: 'one', id: 'q-3', question: { type: 'server' } },
    { kind: 'question', server: 'one', id: 'q-4', question: { type: 'busiest' } },
    { kind: 'question', server: 'one', id: 'q-5', question: { type: 'slow' } },
  ],
  answer: [
    {
      kind: 'answer',
      server: 'two',
      id: 'q-1',
      answer: {
        type: 'sessions',
        sessions: [
          {
            since: TIME,
            address: '10.0.0.7',
            transport: 'websocket',
            places: ['r-5', 'c-11', 'com-1'],
            subscriptions: 4,
            waitingBytes: 17,
          },
        ],
      },
    },
    {
      kind: 'answer',
      server: 'two',
      id: 'q-2',
      answer: { type: 'presence', subscribed: [3, 7], looking: [], leftOut: 0 },
    },
    {
      kind: 'answer',
      server: 'two',
      id: 'q-3',
      answer: {
        type: 'server',
        version: '1.2.3',
        since: TIME,
        sessions: 1,
        subscriptions: 2,
        deliveriesPerSecond: 3.5,
        messagesPerSecond: 1,
        eventLoopUtilization: 0.25,
        eventLoopDelayMs: null,
        memoryBytes: 50_000_000,
        lag: null,
        ready: false,
        reasons: ['starting'],
        degraded: ['kafka: away'],
      },
    },
    {
      kind: 'answer',
      server: 'two',
      id: 'q-4',
      answer: {
        type: 'busiest',
        seconds: 7.5,
        places: [{ place: 'r-5', events: 30, deliveries: 60, subscriptions: 2 }],
      },
    },
    {
      kind: 'answer',
      server: 'two',
      id: 'q-5',
      answer: {
        type: 'slow',
        clients: [
          {
            userId: 3,
            since: TIME,
            address: '10.0.0.7',
            transport: 'websocket',
            subscriptions: 4,
            waitingBytes: 17,
          },
        ],
        leftOut: 0,
      },
    },
  ],
  roster: [
    { kind: 'roster', server: 'one', epoch: TIME, version: 7, type: 'alive', joined: [], left: [] },
    {
      kind: 'roster',
      server: 'one',
      epoch: TIME,
      version: 8,
      type: 'roster',
      joined: [{ sessionId: 'abc', userId: 3 }],
      left: ['def'],
      part: 1,
      parts: 2,
    },
  ],
};

/**
 * Events of each kind and shape that servers send to each other. All of them must arrive unchanged.
 */
export function oneOfEach(): OutgoingEvent[] {
  return Object.values(SAMPLES).flat();
}
