import { expect, it } from 'vitest';
import { oneOfEach } from '../../../dev/events.ts';
import {
  blanking,
  type EventBody,
  eventDocument,
  messageDocument,
  nonceKeyOf,
  readEvents,
  readMessage,
  unknownKinds,
  unquoting,
} from '../../../src/adapters/mongo/documents.ts';
import { createdMessage } from '../../../src/domain/message.ts';
import { isCreating, isStored, STORED_KIND_NAMES } from '../../../src/domain/stored-event.ts';

const STORED = oneOfEach().filter(isStored);
const NEWER: EventBody = { kind: 'newer-reaction', id: 'a', userId: 7, nonce: 'n-1', emoji: '+1' };

it.each(STORED.map((event) => [event.kind, event] as const))('reads a %s from its document unchanged', (_, event) => {
  const { seq, ...draft } = event;
  const doc = eventDocument(event.place, seq, [draft], 0);
  expect(readEvents(doc)).toEqual([event]);
  expect(JSON.stringify(doc.e)).not.toContain('null');
});

it.each(STORED.filter(isCreating).map((event) => [event.kind, event] as const))(
  'reads the message that a %s creates from its document unchanged',
  (_, event) => {
    expect(readMessage(event.place, messageDocument(event, null))).toEqual(createdMessage(event));
  },
);

it('reads an event of an unknown kind as its place and number', () => {
  const [known] = STORED;
  if (known === undefined) throw new Error('there is no stored event');
  const { seq: _, ...draft } = known;
  const { e } = eventDocument(known.place, 1, [draft], 0);
  const batch = { p: known.place, f: 4, e: [NEWER, ...e, { kind: '__proto__' }] };
  expect(readEvents(batch)).toEqual([
    { kind: 'unknown', place: known.place, seq: 4 },
    { ...known, seq: 5 },
    { kind: 'unknown', place: known.place, seq: 6 },
  ]);
  expect(unknownKinds({ e: [NEWER, ...e, NEWER] })).toEqual(['newer-reaction']);
});

it('reads a reply whose quote was removed as a reply to a deleted parent', () => {
  const [reply] = STORED.filter(({ kind }) => kind === 'reply');
  if (reply === undefined) throw new Error('there is no reply');
  const { seq, ...draft } = reply;
  const { p, f, e } = eventDocument(reply.place, seq, [draft], 0);
  const { update } = unquoting(['the-id']);
  const fields = Object.entries(update.$set).map(([path, value]) => [path.slice('e.$[reply].'.length), value]);
  expect(readEvents({ p, f, e: e.map((body) => ({ ...body, ...Object.fromEntries(fields) })) })).toEqual([
    { ...reply, parentName: '', parentContent: null },
  ]);
});

it('finds the nonce of an event of an unknown kind', () => {
  expect(nonceKeyOf(NEWER)).toBe('7:n-1');
  expect(nonceKeyOf({ kind: 'newer-reaction', userId: 7 })).toBeNull();
});

it('removes the text of a deleted message only from kinds that have a text, and from unknown kinds', () => {
  const { update, arrayFilters } = blanking(['the-id']);
  expect(update).toEqual({
    $set: { 'e.$[content].content': '', 'e.$[thumbnail].thumbnail': '', 'e.$[fileName].fileName': '' },
  });
  const unknown = { $nin: [...STORED_KIND_NAMES] };
  expect(arrayFilters).toEqual([
    {
      'content.id': { $in: ['the-id'] },
      $or: [
        { 'content.kind': { $in: ['message', 'reply', 'file', 'modify'] } },
        { 'content.kind': unknown, 'content.content': { $exists: true } },
      ],
    },
    {
      'thumbnail.id': { $in: ['the-id'] },
      $or: [
        { 'thumbnail.kind': { $in: ['file'] } },
        { 'thumbnail.kind': unknown, 'thumbnail.thumbnail': { $exists: true } },
      ],
    },
    {
      'fileName.id': { $in: ['the-id'] },
      $or: [
        { 'fileName.kind': { $in: ['file'] } },
        { 'fileName.kind': unknown, 'fileName.fileName': { $exists: true } },
      ],
    },
  ]);
});
