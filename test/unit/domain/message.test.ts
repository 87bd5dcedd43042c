import { expect, it } from 'vitest';
import { NO_FILE_FACTS } from '../../../src/domain/file.ts';
import { type HistoryEntry, withParents } from '../../../src/domain/history.ts';
import { createdMessage, isFile, type Message, parseMessageType } from '../../../src/domain/message.ts';

const COMMON = {
  place: 'c-11',
  id: '6b030f10cedf3b3501ec1679',
  seq: 7,
  userId: 3,
  time: 1_795_362_752_624,
  nonce: 'n-1',
  communityId: 1,
  name: 'Ada',
  profileImage: 'ada.png',
  content: 'text',
} as const;
const PARENT_ID = '0000000000000000000000cc';
const CREATED = { ...COMMON, edited: false, thumbnail: null, type: null, parentId: null, ...NO_FILE_FACTS };
const TEXT = createdMessage({ kind: 'message', ...COMMON });

it('creates a message from its event, without the quotation of a reply', () => {
  expect(TEXT).toEqual(CREATED);
  const quotation = { parentId: PARENT_ID, parentName: 'Bob', parentContent: 'quoted' };
  expect(createdMessage({ kind: 'reply', ...COMMON, ...quotation })).toEqual({
    ...CREATED,
    type: 'reply',
    parentId: PARENT_ID,
  });
  const facts = { fileName: 'v.mp4', fileSize: 7, width: 640, height: 480 };
  expect(createdMessage({ kind: 'file', ...COMMON, thumbnail: 't', fileType: 'video', ...facts })).toEqual({
    ...CREATED,
    ...facts,
    type: 'video',
    thumbnail: 't',
  });
});

it.each(['image', 'video', 'file'] as const)('knows that a message of the type %s is a file', (type) => {
  expect(isFile({ type })).toBe(true);
});

it.each([null, 'reply'] as const)('knows that a message of the type %s has a text', (type) => {
  expect(isFile({ type })).toBe(false);
});

it('reads the stored type of a message, and returns null for an unknown type', () => {
  expect(['reply', 'image', 'video', 'file'].map(parseMessageType)).toEqual(['reply', 'image', 'video', 'file']);
  expect(['poll', '', 'toString', null, undefined, 1].map(parseMessageType)).toEqual(Array(6).fill(null));
});

it('joins a reply with its parent, and with null when the parent was deleted', () => {
  const parent: Message = { ...TEXT, id: PARENT_ID };
  const reply: Message = { ...TEXT, type: 'reply', parentId: PARENT_ID };
  const orphan: Message = { ...reply, parentId: '0000000000000000000000dd' };
  expect(withParents([TEXT, reply, orphan], new Map([[PARENT_ID, parent]]))).toEqual<HistoryEntry[]>([
    { message: TEXT, parent: null },
    { message: reply, parent },
    { message: orphan, parent: null },
  ]);
});
