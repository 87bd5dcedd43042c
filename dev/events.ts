import type { ChatEvent, MessageCreated, TypingShown } from '../src/domain/chat-event.ts';
import type { ConversationKey } from '../src/domain/conversation.ts';

const AUTHOR = { userId: 3, name: 'Ada', profileImage: null, nonce: null } as const;
const TIME = Date.UTC(2026, 10, 22, 15, 49, 35, 642);
const HEX = '6b030f10cedf3b3501ec1679';

export function message(place: ConversationKey, seq: number): MessageCreated {
  const id = seq.toString(16).padStart(24, '0');
  const communityId = place.startsWith('c-') ? 1 : null;
  return { kind: 'message', place, seq, id, time: TIME + seq, communityId, content: `text ${seq}`, ...AUTHOR };
}

export function typing(place: ConversationKey, name: string): TypingShown {
  return { kind: 'typing', place, name };
}

/** One event of each kind and shape that is sent between servers, all of which must arrive as they were. */
export function oneOfEach(): ChatEvent[] {
  const room = { place: 'r-5', id: HEX, time: TIME, communityId: null } as const;
  const channel = { place: 'c-11', id: HEX, time: TIME, communityId: 1 } as const;
  const parent = { parentId: '00000000000000000000beef', parentName: 'Bob', parentContent: 'first' };
  return [
    message('r-5', 1),
    message('c-11', 1),
    { kind: 'message', ...room, seq: 2, ...AUTHOR, nonce: 'n-1', content: '안녕 "q" \\ \n </b> \u{1F600} :' },
    { kind: 'reply', ...room, seq: 3, ...AUTHOR, content: 're', ...parent },
    { kind: 'reply', ...channel, seq: 2, ...AUTHOR, content: 're', ...parent },
    { kind: 'file', ...room, seq: 4, ...AUTHOR, content: 'key/a.png', thumbnail: null, fileType: 'image' },
    { kind: 'file', ...channel, seq: 3, ...AUTHOR, content: 'key/a.mp4', thumbnail: 'key/t', fileType: 'video' },
    { kind: 'modify', ...room, seq: 5, userId: 3, nonce: 'n-2', content: 'new' },
    { kind: 'modify', ...channel, communityId: null, seq: 4, userId: 3, nonce: null, content: 'new' },
    { kind: 'delete', ...room, seq: 6, userId: 3, nonce: null },
    { kind: 'delete', ...channel, seq: 5, userId: 3, nonce: 'n-3' },
    typing('r-5', 'Ada'),
    typing('c-11', 'Ada'),
    { kind: 'connect', userId: 3, topics: ['community/1', 'direct/5'] },
    { kind: 'disconnect', userId: 3, topics: [] },
    { kind: 'voice', communityId: 1, state: { '11': ['3', '7'], '12': [] } },
    { kind: 'voice-left', type: 'out', communityId: 1, channelId: 11, ids: ['3'] },
    { kind: 'call-left', type: 'in', roomId: 5, ids: [] },
    { kind: 'members-changed', of: { kind: 'room', id: 5 }, members: [1, 2] },
    { kind: 'members-changed', of: { kind: 'community', id: 1 }, members: [] },
    { kind: 'roster', server: 'one', epoch: TIME, version: 7, what: 'alive', joined: [], left: [] },
    {
      kind: 'roster',
      server: 'one',
      epoch: TIME,
      version: 8,
      what: 'roster',
      joined: [{ sessionId: 'abc', userId: 3 }],
      left: ['def'],
      part: 1,
      parts: 2,
    },
  ];
}
