import { expect, it } from 'vitest';
import {
  allStored,
  blanked,
  isCreating,
  isSequenced,
  isStored,
  isStoredKind,
  quotedBy,
  type SequencedEvent,
  STORED_KIND_NAMES,
  STORED_KINDS,
  type StoredEvent,
  type StoredKind,
  targetOf,
  unquoted,
  withoutDeleted,
} from '../../../src/domain/stored-event.ts';

const PLACE = 'r-5';
const FIRST = '0000000000000000000000aa';
const SECOND = '0000000000000000000000bb';
const PARENT = '0000000000000000000000cc';
const COMMON = { place: PLACE, userId: 3, time: 1_795_362_752_624, nonce: null, communityId: null } as const;
const AUTHOR = { name: 'Ada', profileImage: null } as const;
const QUOTE = { parentId: PARENT, parentName: 'Bob', parentContent: 'quoted' } as const;

const message = (seq: number, id: string): StoredEvent => {
  return { kind: 'message', ...COMMON, seq, id, ...AUTHOR, content: 'text' };
};
const modify = (seq: number, id: string): StoredEvent => ({ kind: 'modify', ...COMMON, seq, id, content: 'new' });
const remove = (seq: number, id: string): StoredEvent => ({ kind: 'delete', ...COMMON, seq, id });
const unknown = (seq: number): SequencedEvent => ({ kind: 'unknown', place: PLACE, seq });

const PICTURE = { fileType: 'image', fileName: 'a.png', fileSize: 7, width: 640, height: 480 } as const;

/** One event of each kind. A kind that is missing here does not compile. */
const ONE_OF_EACH: { readonly [K in StoredKind]: Extract<StoredEvent, { readonly kind: K }> } = {
  message: { kind: 'message', ...COMMON, seq: 1, id: FIRST, ...AUTHOR, content: 'text' },
  reply: { kind: 'reply', ...COMMON, seq: 2, id: FIRST, ...AUTHOR, content: 'text', ...QUOTE },
  file: { kind: 'file', ...COMMON, seq: 3, id: FIRST, ...AUTHOR, content: 'key', thumbnail: 't', ...PICTURE },
  modify: { kind: 'modify', ...COMMON, seq: 4, id: FIRST, content: 'new' },
  delete: { kind: 'delete', ...COMMON, seq: 5, id: FIRST },
};
const EVENTS = Object.values(ONE_OF_EACH);

it('knows which kinds create a message', () => {
  expect(EVENTS.filter(isCreating).map(({ kind }) => kind)).toEqual(['message', 'reply', 'file']);
});

it.each(Object.keys(STORED_KINDS))('recognizes %s as a stored kind', (kind) => {
  expect([isStoredKind(kind), isStored({ kind }), isSequenced({ kind })]).toEqual([true, true, true]);
});

it.each(['typing', 'connect', 'foreign', 'members-changed', '', 'toString', '__proto__'])(
  'recognizes %o as a kind that is not stored',
  (kind) => {
    expect([isStoredKind(kind), isStored({ kind }), isSequenced({ kind })]).toEqual([false, false, false]);
  },
);

it('counts an event of an unknown kind as numbered, not as stored', () => {
  expect([isStored(unknown(1)), isSequenced(unknown(1))]).toEqual([false, true]);
});

it('returns a list of events only if all their kinds are known', () => {
  expect(allStored(EVENTS)).toEqual(EVENTS);
  expect(allStored([...EVENTS, unknown(6)])).toBeNull();
});

it('finds the message that each kind of event needs', () => {
  expect(EVENTS.map((event) => [event.kind, targetOf(event)])).toEqual([
    ['message', null],
    ['reply', PARENT],
    ['file', null],
    ['modify', FIRST],
    ['delete', FIRST],
  ]);
});

it('empties text, file key, thumbnail and file name of a blanked event, and nothing else', () => {
  expect(EVENTS.map(blanked)).toEqual([
    { ...ONE_OF_EACH.message, content: '' },
    { ...ONE_OF_EACH.reply, content: '' },
    { ...ONE_OF_EACH.file, content: '', thumbnail: '', fileName: '' },
    { ...ONE_OF_EACH.modify, content: '' },
    ONE_OF_EACH.delete,
  ]);
});

it('removes the quoted parent from a reply, and nothing from events of other kinds', () => {
  const reply = { ...ONE_OF_EACH.reply, parentName: '', parentContent: null };
  const { message, file, modify } = ONE_OF_EACH;
  expect(EVENTS.map(unquoted)).toEqual([message, reply, file, modify, ONE_OF_EACH.delete]);
});

it('finds the message that each kind of event quotes', () => {
  expect([...EVENTS, unknown(6)].map(quotedBy)).toEqual([null, PARENT, null, null, null, null]);
});

it.each(STORED_KIND_NAMES)('says of a %s whether it quotes a message', (kind) => {
  expect(STORED_KINDS[kind].quotes).toBe(quotedBy(ONE_OF_EACH[kind]) !== null);
});

it('removes a deleted message from the replies to it, also from a reply that was deleted itself', () => {
  const [kept, gone] = [ONE_OF_EACH.reply, { ...ONE_OF_EACH.reply, seq: 3, id: SECOND }];
  const deletions = [remove(4, PARENT), remove(5, SECOND)];
  expect(withoutDeleted([kept, gone, ...deletions])).toEqual([
    { ...kept, parentName: '', parentContent: null },
    { ...gone, content: '', parentName: '', parentContent: null },
    ...deletions,
  ]);
  expect(withoutDeleted([kept, gone, remove(5, SECOND)])[0]).toEqual(kept);
});

it('blanks a message and its edits when it is deleted later, and leaves other messages alone', () => {
  const events = [message(1, FIRST), message(2, SECOND), modify(3, FIRST), remove(4, FIRST), modify(5, SECOND)];
  expect(withoutDeleted(events)).toEqual([
    { ...message(1, FIRST), content: '' },
    message(2, SECOND),
    { ...modify(3, FIRST), content: '' },
    remove(4, FIRST),
    modify(5, SECOND),
  ]);
});

it('blanks an edit that comes after the deletion of its message', () => {
  expect(withoutDeleted([remove(1, FIRST), modify(2, FIRST)])).toEqual([
    remove(1, FIRST),
    { ...modify(2, FIRST), content: '' },
  ]);
});

it('keeps events of unknown kinds with their numbers', () => {
  const events = [unknown(1), message(2, FIRST), unknown(3), remove(4, FIRST)];
  expect(withoutDeleted(events)).toEqual([
    unknown(1),
    { ...message(2, FIRST), content: '' },
    unknown(3),
    remove(4, FIRST),
  ]);
});

it('returns a copy of the list when nothing was deleted, and does not change the events of the caller', () => {
  const kept = [message(1, FIRST)];
  expect(withoutDeleted(kept)).toEqual(kept);
  expect(withoutDeleted(kept)).not.toBe(kept);
  const deleted = [message(1, FIRST), remove(2, FIRST)];
  withoutDeleted(deleted);
  expect(deleted[0]).toEqual(message(1, FIRST));
});
