import type { EventName } from './event-schemas.ts';

const ID = '6b033ecf859dd95009991b4f';
const TIME = '2026-11-22T19:13:19.330';
const ADA = { userId: '1', name: 'Ada', profileImage: null };
const GRACE = { userId: '2', name: 'Grace', profileImage: null };
const LINK = 'https://chat.example/chat-server/files/yBghoJ0Z23M8t9Kap7PI3RcE?exp=1795464000&sig=kE3Um4l3MbV';

/** A body of each kind. A kind that is missing does not compile. */
export const EVENT_EXAMPLES: Readonly<Record<EventName, object>> = {
  MessageEvent: { type: 'message', id: ID, ...ADA, message: 'Hello', time: TIME, seq: 1, nonce: 'a-1' },
  ReplyEvent: {
    type: 'reply',
    id: '6b033ecf859dd95009991b51',
    ...GRACE,
    message: 'Hi!',
    time: '2026-11-22T19:13:19.345',
    parentId: ID,
    parentName: 'Ada',
    parentContent: 'Hello',
    seq: 2,
    nonce: 'b-1',
  },
  ModifyEvent: { type: 'modify', id: ID, userId: '1', message: 'Hello, Grace', time: TIME, seq: 3 },
  DeleteEvent: { type: 'delete', id: ID, seq: 5 },
  FileEvent: {
    type: 'direct',
    fileType: 'image',
    id: '6b033ecf859dd95009991b52',
    ...ADA,
    message: LINK,
    thumbnail: LINK,
    channelId: 5,
    time: '2026-11-22T19:13:19.360',
    fileName: 'sea.png',
    fileSize: 48_213,
    width: 640,
    height: 480,
    seq: 4,
  },
  TypingEvent: { type: 'typing', name: 'Grace' },
  PresenceEvent: { type: 'connect', userId: '2' },
  VoiceEvent: { 11: ['3', '7'], 12: [] },
  VoiceLeftEvent: { type: 'out', communityId: '1', channelId: 'c-11', ids: ['3'] },
  CallLeftEvent: { type: 'out', channelId: '5', ids: ['3'] },
  ResetEvent: { type: 'reset', seq: 5 },
  RemovedEvent: { type: 'removed' },
  RefusalEvent: { code: 2103, message: 'you are not a member of room 5', 'receipt-id': 's-3', subscription: 'x' },
  PlacesEvent: { type: 'added', place: 'r-5' },
  UnreadEvent: { type: 'unread', place: 'r-5', count: 3, seq: 44 },
  ReadEvent: { type: 'read', place: 'r-5', seq: 44 },
};
