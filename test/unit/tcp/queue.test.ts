import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Queue } from '../../../src/adapters/tcp/queue.ts';

it('returns items in the order in which they came', () => {
  // A number is pushed, null takes the first item.
  const steps = fc.array(fc.option(fc.nat()), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new Queue<number>();
      const model: number[] = [];
      for (const step of all) {
        if (step === null) expect(queue.shift()).toBe(model.shift());
        else {
          queue.push(step);
          model.push(step);
        }
        expect(queue.first()).toBe(model[0]);
        expect(queue.length).toBe(model.length);
      }
      expect(queue.takeAll()).toEqual(model);
      expect(queue.length).toBe(0);
    }),
  );
});

it('keeps the order over thousands of items', () => {
  const queue = new Queue<number>();
  for (let item = 0; item < 5_000; item += 1) queue.push(item);
  for (let item = 0; item < 3_000; item += 1) expect(queue.shift()).toBe(item);
  expect(queue.takeAll()).toEqual(Array.from({ length: 2_000 }, (_, index) => 3_000 + index));
});
