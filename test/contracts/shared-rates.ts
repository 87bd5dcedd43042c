import { describe, expect, it, onTestFinished } from 'vitest';
import type { SharedRateLimits, SharedRates } from '../../src/application/ports/shared-rates.ts';

export interface SharedRatesUnderTest {
  /** Two servers that count together. Nobody has been counted yet. */
  readonly servers: readonly [SharedRates, SharedRates];
  stop(): Promise<void>;
}

export function sharedRatesContract(
  name: string,
  make: (limits: SharedRateLimits) => Promise<SharedRatesUnderTest>,
): void {
  describe(`SharedRates: ${name}`, () => {
    async function start(message: { actions: number; seconds: number }) {
      const one = await make({ message, upload: { actions: 1, seconds: 60 } });
      onTestFinished(() => one.stop());
      return one.servers;
    }

    it('counts the actions of a user on two servers together', async () => {
      const [a, b] = await start({ actions: 3, seconds: 60 });
      expect(await a.take('message', 7)).toBe(0);
      expect(await b.take('message', 7)).toBe(0);
      expect(await a.take('message', 7)).toBe(0);
      const wait = await b.take('message', 7);
      expect(wait).toBeGreaterThan(50_000);
      expect(wait).toBeLessThanOrEqual(60_000);
    });

    it('counts users and actions separately', async () => {
      const [a, b] = await start({ actions: 1, seconds: 60 });
      expect(await a.take('message', 7)).toBe(0);
      expect(await b.take('message', 8)).toBe(0);
      expect(await b.take('upload', 7)).toBe(0);
      expect(await a.take('upload', 7)).toBeGreaterThan(0);
    });

    it('lets an action pass after the time that it said', async () => {
      const [a, b] = await start({ actions: 1, seconds: 1 });
      await a.take('message', 7);
      const wait = (await b.take('message', 7)) ?? 0;
      expect(wait).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, wait + 50));
      expect(await b.take('message', 7)).toBe(0);
    });
  });
}
