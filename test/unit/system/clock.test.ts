import { expect, it, onTestFinished } from 'vitest';
import { SystemClock } from '../../../src/adapters/system/clock.ts';

it('runs a task whose time has passed soon, and without a warning of Node', async () => {
  const warnings: string[] = [];
  const note = ({ name }: Error) => warnings.push(name);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  await new Promise<void>((resolve) => {
    new SystemClock().after(-5, resolve);
    // The timer of the clock does not keep the process alive.
    const late = setTimeout(resolve, 1_000);
    onTestFinished(() => clearTimeout(late));
  });
  // Node emits a warning in the tick after the call.
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});
