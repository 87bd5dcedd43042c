import { expect, it } from 'vitest';
import { SystemClock } from '../../../../src/adapters/system/clock.ts';
import { NewestReader } from '../../../../src/application/ordering/newest-reader.ts';
import type { MessageStore } from '../../../../src/application/ports/message-store.ts';
import type { ConversationKey } from '../../../../src/domain/place.ts';

/** A store of which only `newest` is asked; each query waits until it is let go. */
function slowStore() {
  const queries: { places: readonly ConversationKey[]; answer(seq: number): void }[] = [];
  const newest: MessageStore['newest'] = (places) =>
    new Promise((resolve) => {
      queries.push({ places, answer: (seq) => resolve(new Map(places.map((place) => [place, seq]))) });
    });
  return { queries, store: { newest } as unknown as MessageStore };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

it('answers everybody who asks at once by one query', async () => {
  const { queries, store } = slowStore();
  const reader = new NewestReader(store, new SystemClock());
  const asked = Array.from({ length: 1_000 }, (_, i) => reader.ask(i % 2 === 0 ? 'r-1' : 'r-2'));
  await turn();
  expect(queries.map(({ places }) => places)).toEqual([['r-1', 'r-2']]);
  queries[0]?.answer(7);
  expect(new Set(await Promise.all(asked))).toEqual(new Set([7]));
});

it('never answers by a query that began before the question', async () => {
  const { queries, store } = slowStore();
  const reader = new NewestReader(store, new SystemClock());
  const first = reader.ask('r-1');
  await turn();
  const second = reader.ask('r-1');
  const third = reader.ask('r-1');
  queries[0]?.answer(1);
  await turn();
  queries[1]?.answer(2);
  expect(await Promise.all([first, second, third])).toEqual([1, 2, 2]);
  expect(queries).toHaveLength(2);
});

it('rejects only the callers of the query that failed', async () => {
  let fails = true;
  const newest: MessageStore['newest'] = async (places) => {
    if (fails) throw new Error('away');
    return new Map(places.map((place) => [place, 3]));
  };
  const reader = new NewestReader({ newest } as unknown as MessageStore, new SystemClock());
  await expect(reader.ask('r-1')).rejects.toThrow('away');
  fails = false;
  expect(await reader.ask('r-1')).toBe(3);
});
