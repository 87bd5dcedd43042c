import type { Connection } from '../transport/connection.ts';

/** An item that a wheel visits once in each interval. */
export interface WheelItem {
  /** Slot of the item, set by the wheel; -1: the item is on no wheel. */
  wheelSlot: number;
  visit(): void;
}

/** A connection that is on a wheel while it is open. */
export type LiveConnection = Connection & WheelItem;

/**
 * One timer for any number of periodic visits. The interval is divided into slots. An item is
 * visited one interval after it was added, then once in each interval. An empty wheel has no timer.
 */
export class Wheel<Item extends WheelItem> {
  readonly #slots: Set<Item>[];
  readonly #tickMs: number;
  #now = 0;
  #size = 0;
  #timer: NodeJS.Timeout | null = null;

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
    if (this.#size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  /** All items at the time of the call. */
  items(): Item[] {
    return this.#slots.flatMap((slot) => [...slot]);
  }

  #turn(): void {
    this.#now = (this.#now + 1) % this.#slots.length;
    // A copy. Otherwise an item that is removed and added during the visits would be visited twice.
    for (const item of [...(this.#slots[this.#now] ?? [])]) {
      if (item.wheelSlot === this.#now) item.visit();
    }
  }
}
