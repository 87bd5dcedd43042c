import { expect, it } from 'vitest';
import { deletion, modification } from '../../../src/domain/authorship.ts';
import { NO_FILE_FACTS } from '../../../src/domain/file.ts';
import type { Message } from '../../../src/domain/message.ts';

const ID = '6b030f10cedf3b3501ec1679';
const AUTHOR = 3;
const MESSAGE: Message = {
  id: ID,
  place: 'c-11',
  communityId: 1,
  seq: 7,
  userId: AUTHOR,
  name: 'Ada',
  profileImage: 'ada.png',
  content: 'before',
  thumbnail: null,
  type: null,
  parentId: null,
  time: 1_795_362_752_624,
  edited: false,
  nonce: 'first',
  ...NO_FILE_FACTS,
};
const deletionBy = (userId: number) => ({ place: 'c-11', id: ID, userId, nonce: 'n-1' }) as const;
const editBy = (userId: number) => ({ ...deletionBy(userId), content: 'after' }) as const;
const COMMON = { place: 'c-11', id: ID, userId: AUTHOR, time: MESSAGE.time, communityId: 1, nonce: 'n-1' };

it('makes an edit with the new text, the time of the message and the nonce of the edit', () => {
  expect(modification(MESSAGE, editBy(AUTHOR))).toEqual({ kind: 'modify', ...COMMON, content: 'after' });
});

it('makes a deletion with the time of the message and the nonce of the deletion', () => {
  expect(deletion(MESSAGE, deletionBy(AUTHOR))).toEqual({ kind: 'delete', ...COMMON });
});

it.each([
  ['an edit', (userId: number) => modification(MESSAGE, editBy(userId))],
  ['a deletion', (userId: number) => deletion(MESSAGE, deletionBy(userId))],
])('refuses %s by somebody who is not the author', (_, request) => {
  expect(() => request(AUTHOR + 1)).toThrow(
    expect.objectContaining({
      code: 'not-the-author',
      message: `only the author of message ${ID} may edit or delete it`,
    }),
  );
});

it.each([
  ['an edit', () => modification(undefined, editBy(AUTHOR))],
  ['a deletion', () => deletion(undefined, deletionBy(AUTHOR))],
])('refuses %s of a message that does not exist and names it', (_, request) => {
  expect(request).toThrow(
    expect.objectContaining({ code: 'message-not-found', message: `there is no message ${ID} in c-11` }),
  );
});

it.each(['image', 'video', 'file'] as const)('refuses an edit of a shared %s, which has no text', (type) => {
  expect(() => modification({ ...MESSAGE, type }, editBy(AUTHOR))).toThrow(
    expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('has no text to edit') }),
  );
});

it('reports another author before it reports that a file has no text', () => {
  expect(() => modification({ ...MESSAGE, type: 'image' }, editBy(AUTHOR + 1))).toThrow(
    expect.objectContaining({ code: 'not-the-author' }),
  );
});

it('allows the edit of a reply, and the deletion of a file', () => {
  expect(modification({ ...MESSAGE, type: 'reply' }, editBy(AUTHOR)).content).toBe('after');
  expect(deletion({ ...MESSAGE, type: 'file' }, deletionBy(AUTHOR)).kind).toBe('delete');
});
