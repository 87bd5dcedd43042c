import type { Positions } from './broker-admin.ts';

/**
 * Where reading one topic has got to: partition to the offset of the next record. Kept here and not by the group, so that whoever joins anew,
 * for whatever reason, goes on exactly there.
 */
export class ReadPositions {
  readonly #next: Map<number, number>;
  #changed = false;

  constructor(from: Positions) {
    this.#next = new Map(from);
  }

  /** A partition that is met for the first time was added since, and is read from its start. */
  of(partition: number): number {
    return this.#next.get(partition) ?? 0;
  }

  set(partition: number, next: number): void {
    this.#next.set(partition, next);
    this.#changed = true;
  }

  entries(): [number, number][] {
    return [...this.#next];
  }

  /** All positions, when one has moved since the last call. */
  takeChanged(): [number, number][] {
    if (!this.#changed) return [];
    this.#changed = false;
    return this.entries();
  }

  /**
   * How many of the first records of a batch were handled before. `newest` is where the partition ends now: one that ends before our position was
   * emptied or made anew, and counts from the batch's own start.
   */
  handledBefore(partition: number, offsets: readonly { readonly offset: string }[], newest: number): number {
    const position = newest < this.of(partition) ? 0 : this.of(partition);
    let count = 0;
    while (count < offsets.length && Number(offsets[count]?.offset) < position) count += 1;
    return count;
  }
}

/** Finds partitions that have records to read and make no step from one look to the next. */
export class StallWatch {
  #before: ReadonlyMap<number, { readonly position: number; readonly newest: number }> = new Map();

  look(positions: ReadPositions, newest: Positions): boolean {
    const now = new Map(
      [...newest].map(([partition, end]) => [partition, { position: positions.of(partition), newest: end }]),
    );
    const before = this.#before;
    this.#before = now;
    return [...now].some(([partition, { position }]) => {
      const last = before.get(partition);
      return last !== undefined && last.position === position && last.newest > position;
    });
  }
}
