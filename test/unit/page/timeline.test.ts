import type { Entry } from 'chat-server-client';
import { describe, expect, it } from 'vitest';
import { freshStart } from '../../../page/src/timeline/fresh.ts';
import { type Row, type RowContext, RowMaker } from '../../../page/src/timeline/rows.ts';
import { EntryWindow } from '../../../page/src/timeline/window.ts';

const START = Date.parse('2026-11-27T10:00:00Z');
const MINUTE = 60_000;

function entry(seq: number, changes: Partial<Entry> & { readonly minutes?: number } = {}): Entry {
  const { minutes = 0, ...rest } = changes;
  return {
    key: `k${seq}`,
    id: `id${seq}`,
    seq,
    nonce: null,
    userId: 1,
    name: 'Ada',
    image: null,
    text: `text ${seq}`,
    time: new Date(START + minutes * MINUTE).toISOString().slice(0, -1),
    edited: false,
    parent: null,
    file: null,
    state: 'stored',
    action: null,
    actionNonce: null,
    error: null,
    progress: null,
    ...rest,
  };
}

function many(count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => entry(index + 1));
}

const CONTEXT: RowContext = { me: 1, freshFrom: null, removing: new Set(), editing: new Set(), isOnline: true };

function rowsOf(entries: readonly Entry[], context: Partial<RowContext> = {}): readonly Row[] {
  return new RowMaker().rows(entries, 0, entries.length, { ...CONTEXT, ...context });
}

/** `H` is a message with its author, `m` one without, `D` a day, `N` the line of new messages. */
function shapeOf(rows: readonly Row[]): string {
  return rows
    .map((row) => (row.kind === 'message' ? (row.isHead ? 'H' : 'm') : row.kind === 'day' ? 'D' : 'N'))
    .join('');
}

describe('rows of the timeline', () => {
  it.each([
    ['one author', [entry(1), entry(2), entry(3)], 'DHmm'],
    ['another author', [entry(1), entry(2, { userId: 2, name: 'Grace' }), entry(3)], 'DHHH'],
    ['a pause of eight minutes', [entry(1), entry(2, { minutes: 8 })], 'DHH'],
    ['a reply', [entry(1), entry(2, { parent: { id: 'id1', name: 'Ada', text: 'x' } })], 'DHH'],
    ['eleven messages', many(11), 'DHmmmmmmmmmH'],
    ['another day', [entry(1), entry(2, { minutes: 3 * 24 * 60 })], 'DHDH'],
    ['a pending message', [entry(1), entry(2, { state: 'pending', id: null, seq: null })], 'DHm'],
    ['a time that cannot be read', [entry(1), entry(2, { time: 'soon' }), entry(3)], 'DHHH'],
    ['a time with a zone', [entry(1, { time: '2026-11-27T10:00:00.000Z' }), entry(2)], 'DHm'],
  ])('groups messages: %s', (_, entries, shape) => {
    expect(shapeOf(rowsOf(entries))).toBe(shape);
  });

  it('puts the line of new messages before the first new one, which begins a group', () => {
    expect(shapeOf(rowsOf(many(3), { freshFrom: 'k2' }))).toBe('DHNHm');
  });

  it('gives the same objects again while nothing changes, and another one only for a changed entry', () => {
    const maker = new RowMaker();
    const entries = many(5);
    const before = maker.rows(entries, 0, 5, CONTEXT);
    const changed = [...entries.slice(0, 4), { ...(entries[4] as Entry), text: 'edited' }, entry(6)];
    const after = maker.rows(changed, 0, 6, CONTEXT);
    expect(after.slice(0, 5).every((row, index) => row === before[index])).toBe(true);
    expect(after[5]).not.toBe(before[5]);
  });
});

describe('the window of the timeline', () => {
  it('shows the newest entries at first, and grows with new ones', () => {
    const window = new EntryWindow();
    expect(window.range(many(500), true)).toEqual({ start: 440, end: 500 });
    expect(window.range(many(501), true)).toEqual({ start: 440, end: 501 });
    expect(window.isOpen).toBe(true);
  });

  it('drops entries above while the reader is at the end', () => {
    const window = new EntryWindow();
    window.range(many(100), true);
    const { start, end } = window.range(many(400), true);
    expect([start, end]).toEqual([340, 400]);
  });

  it('keeps what a reader above the end sees, and takes no new entries in', () => {
    const window = new EntryWindow();
    window.range(many(100), false);
    expect(window.range(many(400), false)).toEqual({ start: 40, end: 280 });
    expect(window.isOpen).toBe(false);
    expect(window.range(many(500), false)).toEqual({ start: 40, end: 280 });
  });

  it('goes up and down through all entries, and never shows more than 240', () => {
    const entries = many(1_000);
    const window = new EntryWindow();
    window.range(entries, true);
    while (window.up(entries)) expect(size(window.range(entries, false))).toBeLessThanOrEqual(240);
    expect(window.range(entries, false).start).toBe(0);
    while (window.down(entries)) expect(size(window.range(entries, false))).toBeLessThanOrEqual(240);
    expect(window.range(entries, false).end).toBe(1_000);
  });

  it('stays at its entries when older ones come before them', () => {
    const entries = many(300);
    const window = new EntryWindow();
    window.around(entries.slice(100), 50);
    const { start, end } = window.range(entries, false);
    expect([entries[start]?.seq, entries[end - 1]?.seq]).toEqual([101, 210]);
  });

  it('begins at the newest entries again where its entries are gone', () => {
    const window = new EntryWindow();
    window.around(many(100), 50);
    const others = Array.from({ length: 80 }, (_, index) => entry(index + 1_000));
    expect(window.range(others, false)).toEqual({ start: 20, end: 80 });
  });
});

function size({ start, end }: { readonly start: number; readonly end: number }): number {
  return end - start;
}

describe('the first new message', () => {
  const mixed = [entry(1, { userId: 2 }), entry(2), entry(3, { userId: 2 }), entry(4, { userId: 2 })];

  it.each([
    [null, { key: null, isAbove: false }],
    [
      { count: 0, seq: 4 },
      { key: null, isAbove: false },
    ],
    [
      { count: 2, seq: 4 },
      { key: 'k3', isAbove: false },
    ],
    [
      { count: 3, seq: 4 },
      { key: 'k1', isAbove: false },
    ],
    [
      { count: 5, seq: 4 },
      { key: 'k1', isAbove: true },
    ],
    [
      { count: 1, seq: 3 },
      { key: 'k3', isAbove: false },
    ],
  ])('is found for %j', (fresh, expected) => {
    expect(freshStart(mixed, fresh, 1)).toEqual(expected);
  });
});
