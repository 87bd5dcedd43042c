import { expect } from 'vitest';
import { type UpgradeOptions, upgradeInTurn } from '../../dev/durability/rolling-upgrade.ts';

/** A server may get this many times its share of the reconnects: the clients choose by chance. */
const SPREAD = 1.25;
/** In a fifth of the drain a server may get this many times the average. */
const PEAK = 2;
/** Chance weighs more among few clients. */
const FEW = 8;

/**
 * Upgrades three servers in turn, and expects that nothing is lost and that no server gets more
 * than its share of the reconnects. The share of each of the two other servers is half of the
 * clients of the server that stops, evenly over the drain.
 */
export async function expectCalmUpgrade(options: UpgradeOptions): Promise<void> {
  const { load, steps } = await upgradeInTurn(options);
  expect(load).toMatchObject({ lost: 0, twice: 0, outOfOrder: 0, resets: 0, refused: {}, receipted: load.sent });
  expect(load.sent).toBeGreaterThan(options.rate * options.drainSeconds);
  expect(steps).toHaveLength(3);
  for (const { clients, most, mostInOneFifth } of steps) {
    const share = clients / 2;
    expect(clients).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(share * SPREAD + FEW);
    expect(mostInOneFifth).toBeLessThanOrEqual((share / 5) * PEAK + FEW);
  }
}
