import type { Connection } from '../transport/connection.ts';

/** Something visited once every interval while it is on a wheel. */
export interface WheelItem {
  /** Where on the wheel the item is; -1 off it. Kept by the wheel. */
  wheelSlot: number;
  visit(): void;
}

/** A connection that is on a wheel as long as it is open. */
export type LiveConnection = Connection & WheelItem;

/**
 * One timer for any number of periodic visits: the interval is cut into slots, and an item is visited a whole
 * interval after it was put on, then every interval. Costs nothing while empty.
 */
export class Wheel<Item extends WheelItem> {
  readonly #slots: Set<Item>[];
  readonly #tickMs: number;
  #now = 0;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number, slots = 25) {
    this.#slots = Array.from({ length: slots }, () => new Set<Item>());
    this.#tickMs = Math.max(1, intervalMs / slots);
  }

  get size(): number {
    return this.#size;
  }

  add(item: Item): void {
    if (item.wheelSlot !== -1) return;
    item.wheelSlot = this.#now;
    this.#slots[this.#now]?.add(item);
    this.#size += 1;
    this.#timer ??= setInterval(() => this.#turn(), this.#tickMs).unref();
  }

  remove(item: Item): void {
    if (item.wheelSlot === -1) return;
    this.#slots[item.wheelSlot]?.delete(item);
    item.wheelSlot = -1;
    this.#size -= 1;
    if (this.#size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** All items at the time of the call. */
  items(): Item[] {
    return this.#slots.flatMap((slot) => [...slot]);
  }

  #turn(): void {
    this.#now = (this.#now + 1) % this.#slots.length;
    // A copy, or an item that comes back during the visits would be visited twice.
    for (const item of [...(this.#slots[this.#now] ?? [])]) {
      if (item.wheelSlot === this.#now) item.visit();
    }
  }
}
