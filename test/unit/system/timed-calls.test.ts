import { expect, it } from 'vitest';
import { LabelledDistributions, SECONDS } from '../../../src/adapters/support/figures.ts';
import { hasFailedBatch, timedCalls } from '../../../src/bootstrap/timed-calls.ts';

/** An adapter with private fields, as all of ours have. */
class Shelf {
  readonly #books = new Map([[1, 'Ada']]);
  readonly pace = 5;

  async read(id: number): Promise<string> {
    const book = this.#books.get(id);
    if (book === undefined) throw new Error(`there is no book ${id}`);
    return book;
  }

  async close(): Promise<void> {}

  known(): number {
    return this.#books.size;
  }
}

it('measures the named calls by their outcome, and leaves all other members as they are', async () => {
  const times = new LabelledDistributions(SECONDS, 'part', 'operation', 'outcome');
  const shelf = timedCalls(new Shelf(), 'shelf', ['read'], times);
  expect(await shelf.read(1)).toBe('Ada');
  await expect(shelf.read(2)).rejects.toThrow('there is no book 2');
  await shelf.close();
  expect([shelf.known(), shelf.pace]).toEqual([1, 5]);
  expect(times.samples().map(({ labels }) => Object.values(labels).join(' '))).toEqual([
    'shelf read ok',
    'shelf read error',
  ]);
});

it('counts an append with a failed batch as an error', () => {
  expect(hasFailedBatch([{ kind: 'stored' }, { kind: 'failed', error: new Error('no answer') }])).toBe(true);
  expect(hasFailedBatch([{ kind: 'stored' }, { kind: 'conflict' }])).toBe(false);
});
