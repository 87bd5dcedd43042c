import type { Positions } from './driver.ts';

/**
 * The read positions of one topic: for each partition the offset of the next record. The server
 * keeps them itself and does not use the positions that the group stores. A consumer that replaces
 * another one continues exactly there.
 */
export class ReadPositions {
  readonly #next: Map<number, number>;
  /** For each partition the offset that its next record gets, as last seen. */
  readonly #ends = new Map<number, number>();
  #changed = false;

  constructor(from: Positions) {
    this.#next = new Map(from);
  }

  /**
   * The offset of the next record. A partition without a position was added later and is read from
   * its start.
   */
  of(partition: number): number {
    return this.#next.get(partition) ?? 0;
  }

  /** The partition was seen to end at this offset. */
  ends(partition: number, end: number): void {
    this.#ends.set(partition, end);
  }

  /** Records that were seen and not read, over all partitions. */
  get lag(): number {
    let lag = 0;
    for (const [partition, end] of this.#ends) lag += Math.max(0, end - this.of(partition));
    return lag;
  }

  set(partition: number, next: number): void {
    this.#next.set(partition, next);
    this.#changed = true;
  }

  entries(): [number, number][] {
    return [...this.#next];
  }

  /** All positions if one has changed since the last call, otherwise none. */
  takeChanged(): [number, number][] {
    if (!this.#changed) return [];
    this.#changed = false;
    return this.entries();
  }

  /**
   * The number of records at the start of a batch that were handled before. `newest` is the offset
   * of the partition's next record. If it is smaller than the position, the partition was emptied
   * or created again. Then no record counts as handled.
   */
  handledBefore(partition: number, offsets: readonly { readonly offset: string }[], newest: number): number {
    const position = newest < this.of(partition) ? 0 : this.of(partition);
    let count = 0;
    while (count < offsets.length && Number(offsets[count]?.offset) < position) count += 1;
    return count;
  }
}

/** Finds partitions whose position stands still although there are records to read. */
export class StallWatch {
  #before: ReadonlyMap<number, { readonly position: number; readonly newest: number }> = new Map();

  /**
   * True if a partition had unread records at the last call and its position has not moved since.
   */
  isStalled(positions: ReadPositions, newest: Positions): boolean {
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
