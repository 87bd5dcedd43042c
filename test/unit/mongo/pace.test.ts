import { expect, it } from 'vitest';
import { Pace } from '../../../src/adapters/mongo/first-generation/pace.ts';

/** Steps that run until they are ended. */
function steps(pace: Pace) {
  const ends: (() => void)[] = [];
  let begun = 0;
  const add = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      void pace.run(() => {
        begun += 1;
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    }
  };
  const end = async (count: number) => {
    for (const resolve of ends.splice(0, count)) resolve();
    await new Promise(setImmediate);
  };
  return { add, end, begun: () => begun };
}

it('runs one step at a time at first, and more while the probes are fast, up to eight', async () => {
  const pace = new Pace(5);
  const { add, end, begun } = steps(pace);
  add(20);
  await end(0);
  expect(begun()).toBe(1);
  for (let i = 0; i < 4; i += 1) pace.probed(5);
  await end(0);
  expect(begun()).toBe(2);
  for (let i = 0; i < 100; i += 1) pace.probed(5);
  await end(0);
  expect(begun()).toBe(8);
});

it('runs half as many steps after a slow probe, but always one', async () => {
  const pace = new Pace(5);
  const { add, end, begun } = steps(pace);
  for (let i = 0; i < 100; i += 1) pace.probed(5);
  pace.probed(26);
  expect(pace.limit).toBe(4);
  for (let i = 0; i < 10; i += 1) pace.probed(1_000);
  expect(pace.limit).toBe(1);
  add(2);
  await end(0);
  expect(begun()).toBe(1);
  await end(1);
  expect(begun()).toBe(2);
});

it('compares the probes with the time that they took before', () => {
  const onSlowDisks = new Pace(30);
  onSlowDisks.probed(80);
  expect(onSlowDisks.limit).toBe(1);
  for (let i = 0; i < 4; i += 1) onSlowDisks.probed(80);
  expect(onSlowDisks.limit).toBe(2);
  onSlowDisks.probed(91);
  expect(onSlowDisks.limit).toBe(1);
});

it('goes on after a step that failed', async () => {
  const pace = new Pace(5);
  await expect(pace.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await pace.run(async () => 'yes')).toBe('yes');
});
