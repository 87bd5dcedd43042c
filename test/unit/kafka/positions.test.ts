import { describe, expect, it } from 'vitest';
import { ReadPositions, StallWatch } from '../../../src/adapters/kafka/positions.ts';

const batch = (...offsets: number[]) => offsets.map((offset) => ({ offset: String(offset) }));

describe('ReadPositions', () => {
  it('the read positions count the records of a batch that were handled before', () => {
    const positions = new ReadPositions(new Map([[0, 10]]));
    expect(positions.handledBefore(0, batch(8, 9, 10, 11), 12)).toBe(2);
    expect(positions.handledBefore(0, batch(10, 11), 12)).toBe(0);
    expect(positions.handledBefore(0, batch(8, 9), 12)).toBe(2);
    expect(positions.handledBefore(0, batch(14, 15), 16)).toBe(0);
  });

  it('the lag is the number of records that were seen and not read, over all partitions', () => {
    const positions = new ReadPositions(
      new Map([
        [0, 10],
        [1, 4],
      ]),
    );
    expect(positions.lag).toBe(0);
    positions.ends(0, 15);
    positions.ends(1, 4);
    expect(positions.lag).toBe(5);
    positions.set(0, 14);
    expect(positions.lag).toBe(1);
    positions.set(0, 20);
    expect(positions.lag).toBe(0);
  });

  it('a partition that is added later is read from its start', () => {
    expect(new ReadPositions(new Map([[0, 10]])).of(1)).toBe(0);
  });

  it('a topic that is created again is read from its start', () => {
    const positions = new ReadPositions(new Map([[0, 1000]]));
    expect(positions.handledBefore(0, batch(0, 1), 2)).toBe(0);
    positions.set(0, 2);
    expect(positions.handledBefore(0, batch(1, 2), 3)).toBe(1);
  });

  it('changed positions are returned once', () => {
    const positions = new ReadPositions(new Map([[0, 1]]));
    expect(positions.takeChanged()).toEqual([]);
    positions.set(0, 5);
    expect(positions.takeChanged()).toEqual([[0, 5]]);
    expect(positions.takeChanged()).toEqual([]);
  });
});

describe('StallWatch', () => {
  it('the stall watch reports a partition with unread records whose position stands still, and no other', () => {
    const positions = new ReadPositions(new Map([[0, 1]]));
    const watch = new StallWatch();
    expect(watch.isStalled(positions, new Map([[0, 1]]))).toBe(false);
    expect(watch.isStalled(positions, new Map([[0, 5]]))).toBe(false);
    expect(watch.isStalled(positions, new Map([[0, 5]]))).toBe(true);
    positions.set(0, 2);
    expect(watch.isStalled(positions, new Map([[0, 9]]))).toBe(false);
  });
});
