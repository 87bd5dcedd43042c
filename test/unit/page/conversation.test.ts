import { expect, it } from 'vitest';
import { type Conversations, type Entry, type History, pageModule } from './modules.ts';

const { Conversation } = await pageModule<Conversations>('conversation.js');

function entry(seq: number, more: Partial<Entry> & { parentId?: string } = {}): Entry {
  return { id: `id-${seq}`, userId: 1, message: `text ${seq}`, parentContent: null, seq, edited: false, ...more };
}

/** A loaded conversation whose history has the entries 1 to `count` and the newest number `seq`. */
async function loaded(count: number, seq = count, history?: History) {
  const all = Array.from({ length: count }, (_, index) => entry(index + 1));
  const read: History = async (_place, size, before = count + 1) => ({
    entries: all.slice(Math.max(0, before - 1 - size), before - 1),
    seq,
  });
  const conversation = new Conversation({}, { history: history ?? read });
  await conversation.load();
  return conversation;
}

it('appends each live event after the history once', async () => {
  const conversation = await loaded(2);
  const third = { type: 'message', id: 'id-3', userId: '7', name: 'Grace', message: 'hi', time: 'T', seq: 3 };
  expect(conversation.apply({ ...third, seq: 2 })).toBe(false);
  expect(conversation.apply(third)).toBe(true);
  expect(conversation.apply(third)).toBe(false);
  expect(conversation.entries.map(({ id }) => id)).toEqual(['id-1', 'id-2', 'id-3']);
  expect(conversation.entries[2]).toMatchObject({ userId: 7, message: 'hi', seq: 3, edited: false });
  expect(conversation.seq).toBe(3);
});

it('changes a message and its quotes on an edit, and removes the message on a deletion', async () => {
  const conversation = await loaded(2);
  const reply = { type: 'reply', id: 'r', userId: '2', name: 'Grace', message: 're', time: 'T', seq: 3 };
  conversation.apply({ ...reply, parentId: 'id-1', parentName: undefined, parentContent: 'text 1' });
  conversation.apply({ type: 'modify', id: 'id-1', message: 'new', seq: 4 });
  expect(conversation.entries[0]).toMatchObject({ message: 'new', edited: true });
  expect(conversation.entries[2]).toMatchObject({ parentContent: 'new' });
  conversation.apply({ type: 'delete', id: 'id-1', seq: 5 });
  expect(conversation.entries.map(({ id }) => id)).toEqual(['id-2', 'r']);
  expect(conversation.entries[1]).toMatchObject({ parentContent: '삭제된 메세지입니다.' });
});

it('applies edits and deletions to older entries that are being read at that moment', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const all = Array.from({ length: 60 }, (_, index) => entry(index + 1));
  const conversation = await loaded(60, 60, async (_place, size, before) => {
    if (before !== undefined) await promise;
    return { entries: before === undefined ? all.slice(-size) : all.slice(0, before - 1), seq: 60 };
  });
  const older = conversation.loadOlder();
  conversation.apply({ type: 'modify', id: 'id-3', message: 'new', seq: 61 });
  conversation.apply({ type: 'delete', id: 'id-4', seq: 62 });
  resolve();
  await older;
  expect(conversation.entries.slice(0, 4).map(({ message }) => message)).toEqual(['text 1', 'text 2', 'new', 'text 5']);
  expect(conversation.isComplete).toBe(true);
});
