import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Wheel, type WheelItem } from '../../../src/adapters/sockjs/wheel.ts';

class Item implements WheelItem {
  wheelSlot = -1;
  visits = 0;
  onVisit: () => void = () => {};

  visit(): void {
    this.visits += 1;
    this.onVisit();
  }
}

describe('Wheel', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('visits each item one interval after it was added, then once in each interval', () => {
    const wheel = new Wheel<Item>(1000, 10);
    const [early, late] = [new Item(), new Item()];
    wheel.add(early);
    vi.advanceTimersByTime(500);
    wheel.add(late);
    vi.advanceTimersByTime(499);
    expect([early.visits, late.visits]).toEqual([0, 0]);
    vi.advanceTimersByTime(1);
    expect([early.visits, late.visits]).toEqual([1, 0]);
    vi.advanceTimersByTime(500);
    expect([early.visits, late.visits]).toEqual([1, 1]);
    vi.advanceTimersByTime(3000);
    expect([early.visits, late.visits]).toEqual([4, 4]);
  });

  it('a wheel has one timer for all items, and none while it is empty', () => {
    const wheel = new Wheel<Item>(1000, 10);
    const items = Array.from({ length: 100 }, () => new Item());
    expect(vi.getTimerCount()).toBe(0);
    for (const item of items) wheel.add(item);
    wheel.add(items[0] ?? new Item());
    expect([wheel.size, vi.getTimerCount()]).toEqual([100, 1]);
    for (const item of items) wheel.remove(item);
    wheel.remove(items[0] ?? new Item());
    expect([wheel.size, vi.getTimerCount()]).toEqual([0, 0]);
    vi.advanceTimersByTime(5000);
    expect(items.every(({ visits }) => visits === 0)).toBe(true);
  });

  it('allows visits to remove and add items', () => {
    const wheel = new Wheel<Item>(1000, 10);
    const [leaver, returner, other] = [new Item(), new Item(), new Item()];
    leaver.onVisit = () => wheel.remove(leaver);
    returner.onVisit = () => {
      wheel.remove(returner);
      wheel.remove(other);
      wheel.add(returner);
    };
    for (const item of [leaver, returner, other]) wheel.add(item);
    vi.advanceTimersByTime(2000);
    expect([leaver.visits, returner.visits, other.visits]).toEqual([1, 2, 0]);
    expect(wheel.items()).toEqual([returner]);
  });
});
