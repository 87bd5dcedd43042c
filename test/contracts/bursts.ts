import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppendBatch, MessageStore } from '../../src/application/ports/message-store.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import { type Draft, withoutDeleted } from '../../src/domain/stored-event.ts';
import { append, deleted, edited, newPlace, newUser, numbered, type Server, said, type World } from './world.ts';

/** A place, its events in order, and the messages that they leave, by id. */
interface Expected {
  readonly place: ConversationKey;
  readonly drafts: Draft[];
  readonly messages: Map<string, { readonly seq: number; readonly content: string; readonly edited: boolean }>;
}

export function expectedPlace(place: ConversationKey): Expected {
  return { place, drafts: [], messages: new Map() };
}

/** Stores the drafts behind the events of the place, and notes the messages that they leave. */
export async function extend(store: MessageStore, changes: ReadonlyMap<Expected, readonly Draft[]>): Promise<void> {
  const batches = [...changes].map(
    ([{ place, drafts }, more]): AppendBatch => ({ place, first: drafts.length + 1, drafts: more }),
  );
  for (const outcome of await store.append(batches)) expect(outcome).toEqual({ kind: 'stored' });
  for (const [{ drafts, messages }, more] of changes) {
    for (const draft of more) {
      drafts.push(draft);
      const message = messages.get(draft.id);
      if (draft.kind === 'delete') messages.delete(draft.id);
      else if (draft.kind !== 'modify')
        messages.set(draft.id, { seq: drafts.length, content: draft.content, edited: false });
      else if (message !== undefined) messages.set(draft.id, { ...message, content: draft.content, edited: true });
    }
  }
}

/** Expects history, log, holes and unread count of the place to be as the events leave them. */
export async function expectPlace({ store, markers }: Server, { place, drafts, messages }: Expected): Promise<void> {
  const { entries, seq } = await store.history(place, { kind: 'after', seq: 0, size: 10_000 });
  const shown = entries.map(({ message: { id, seq, content, edited } }) => [id, { seq, content, edited }]);
  expect(shown).toEqual([...messages]);
  expect(seq).toBe(drafts.length);
  expect(await store.eventsAfter(place, 0, 10_000)).toEqual(withoutDeleted(numbered(1, drafts)));
  // For a user without a position, the count follows from the number of holes.
  expect(await markers.unread(newUser(), [place])).toMatchObject([{ count: messages.size }]);
  const deep = Math.max(0, messages.size - 5);
  const page = await store.history(place, { kind: 'page', page: deep, size: 1 });
  expect(page.entries.map(({ message }) => message.id)).toEqual([...messages.keys()].reverse().slice(deep, deep + 1));
}

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** The part of the contract of `MessageStore` that is about many edits and deletions at once. */
export function burstContract(name: string, makeWorld: () => Promise<World>): void {
  describe(`${name}: bursts`, () => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    it('applies edits and deletions of several places at once, each message in the order of its events', async () => {
      const writer = await world.server({ idle: true });
      const places = (['r', 'c', 'r', 'c'] as const).map((kind) => expectedPlace(newPlace(kind)));
      const texts = new Map(places.map((expected) => [expected, times(60, (i) => said(expected.place, `m${i}`))]));
      // Batches of one event, and of more.
      for (const at of [0, 1, 2, 3]) await extend(writer.store, part(texts, at, at + 1));
      await extend(writer.store, part(texts, 4, 20));
      await expectPlace(await world.server(), places[1] ?? expectedPlace(newPlace()));
      await extend(writer.store, part(texts, 20, 60));
      const changes = (make: (of: Draft, i: number) => Draft[]) =>
        extend(writer.store, new Map([...texts].map(([expected, list]) => [expected, list.flatMap(make)])));
      await changes((of, i) => (i % 3 === 0 ? [edited(of, `${i} first`), edited(of, `${i} second`)] : []));
      await changes((of, i) => (i % 4 === 0 ? [edited(of, `${i} last words`), deleted(of)] : []));
      await changes((of, i) => (i % 8 === 0 ? [edited(of, 'too late'), deleted(of)] : []));
      await changes((of, i) => [said(of.place, `new ${i}`), ...(i % 6 === 1 ? [edited(of, `${i} third`)] : [])]);
      const reader = await world.server();
      for (const expected of places) await expectPlace(reader, expected);
    });

    it('finds the texts of deleted messages in small and large batches, near to each other and far apart', async () => {
      const writer = await world.server({ idle: true });
      const expected = expectedPlace(newPlace());
      const add = (drafts: readonly Draft[]) => extend(writer.store, new Map([[expected, drafts]]));
      const texts = (count: number) => times(count, (i) => said(expected.place, `text ${expected.drafts.length + i}`));
      for (const size of [1, 700, 1, 2, 300, 40, 40, 1, 1, 1, 600]) await add(texts(size));
      const created = [...expected.drafts];
      const isDeleted = (i: number) => i % 97 === 0 || (i > 1_000 && i < 1_100) || i > 1_680;
      await add(created.filter((_, i) => isDeleted(i)).map((draft) => deleted(draft)));
      await expectPlace(await world.server(), expected);
    });

    it('changes nothing by an edit or a deletion that names a message of another place', async () => {
      const writer = await world.server({ idle: true });
      const [one, other] = [expectedPlace(newPlace()), expectedPlace(newPlace())];
      const [here, there, gone] = [said(one.place, 'here'), said(other.place, 'there'), said(other.place, 'gone')];
      await extend(writer.store, new Map([[one, [here]]]));
      await extend(writer.store, new Map([[other, [there, gone, edited(gone, 'not gone')]]]));
      const reader = await world.server();
      await expectPlace(reader, other);
      const wrong = [edited({ ...there, place: one.place }, 'wrong'), deleted({ ...gone, place: one.place })];
      await append(writer.store, 2, wrong);
      const { entries } = await reader.store.history(one.place, { kind: 'page', page: 0, size: 9 });
      expect(entries.map(({ message }) => message.content)).toEqual(['here']);
      await expectPlace(reader, other);
    });

    it('applies a burst once when several servers read it at the same time', async () => {
      const writer = await world.server({ idle: true });
      const places = times(3, () => expectedPlace(newPlace()));
      const texts = new Map(places.map((expected) => [expected, times(200, (i) => said(expected.place, `m${i}`))]));
      await extend(writer.store, texts);
      const changed = (of: Draft, i: number): Draft[] =>
        i % 4 === 0 ? [deleted(of)] : i % 4 === 2 ? [edited(of, `new ${i}`)] : [];
      const burst = new Map([...texts].map(([expected, list]) => [expected, list.flatMap(changed)]));
      await extend(writer.store, burst);
      const readers = await Promise.all(times(3, () => world.server()));
      await Promise.all(readers.flatMap((reader) => places.map((expected) => expectPlace(reader, expected))));
    });
  });
}

function part(texts: ReadonlyMap<Expected, readonly Draft[]>, from: number, to: number): Map<Expected, Draft[]> {
  return new Map([...texts].map(([expected, list]) => [expected, list.slice(from, to)]));
}
