import type { Entry } from 'chat-server-client';
import { dayOf, timeOf } from '../support/clock.ts';

export interface MessageRow {
  readonly kind: 'message';
  readonly key: string;
  readonly entry: Entry;
  /** true: the first of a group, which shows the author. */
  readonly isHead: boolean;
  readonly isOwn: boolean;
  /** true: it is being deleted, and that can be undone. */
  readonly isRemoving: boolean;
  readonly isEditing: boolean;
  readonly isOnline: boolean;
}

/** A line of the list. Where nothing changes, the same object comes again. */
export type Row =
  | MessageRow
  | { readonly kind: 'day'; readonly key: string; readonly at: number }
  | { readonly kind: 'fresh'; readonly key: string };

export interface RowContext {
  readonly me: number;
  /** Key of the first message that is new to the reader. */
  readonly freshFrom: string | null;
  readonly removing: ReadonlySet<string>;
  readonly editing: ReadonlySet<string>;
  readonly isOnline: boolean;
}

/** A group of messages of one author ends after this time and number. */
const GROUP_MS = 7 * 60_000;
const GROUP_SIZE = 10;

/** Makes the rows of a range of entries: messages in groups, days, the line of new messages. */
export class RowMaker {
  #known = new Map<string, Row>();

  rows(entries: readonly Entry[], start: number, end: number, context: RowContext): readonly Row[] {
    const rows: Row[] = [];
    const known = new Map<string, Row>();
    const add = (row: Row) => {
      const before = this.#known.get(row.key);
      const kept = before !== undefined && isSame(before, row) ? before : row;
      rows.push(kept);
      known.set(row.key, kept);
    };
    // Groups are counted from the start of the range, so they do not depend on what is far above.
    let group: { readonly entry: Entry; readonly at: number; size: number } | null = null;
    let day = start === 0 ? '' : dayOf(timeOf(entries[start - 1] as Entry));
    for (let index = start; index < end; index += 1) {
      const entry = entries[index] as Entry;
      const at = timeOf(entry);
      const entryDay = dayOf(at);
      if (entryDay !== '' && entryDay !== day) {
        day = entryDay;
        group = null;
        add({ kind: 'day', key: `day ${entryDay}`, at });
      }
      if (entry.key === context.freshFrom) {
        group = null;
        add({ kind: 'fresh', key: 'fresh' });
      }
      const isHead: boolean =
        group === null ||
        group.entry.userId !== entry.userId ||
        group.entry.name !== entry.name ||
        entry.parent !== null ||
        group.size >= GROUP_SIZE ||
        !(Math.abs(at - group.at) <= GROUP_MS);
      if (isHead || group === null) group = { entry, at, size: 1 };
      else group.size += 1;
      add({
        kind: 'message',
        key: entry.key,
        entry,
        isHead,
        isOwn: entry.userId === context.me,
        isRemoving: context.removing.has(entry.key),
        isEditing: context.editing.has(entry.key),
        isOnline: entry.state !== 'pending' || context.isOnline,
      });
    }
    this.#known = known;
    return rows;
  }
}

function isSame(one: Row, other: Row): boolean {
  if (one.kind !== 'message' || other.kind !== 'message') {
    return one.kind === other.kind && one.key === other.key;
  }
  return (
    one.entry === other.entry &&
    one.isHead === other.isHead &&
    one.isRemoving === other.isRemoving &&
    one.isEditing === other.isEditing &&
    one.isOnline === other.isOnline
  );
}
