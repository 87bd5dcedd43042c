import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startCluster } from '../../dev/cluster/cluster.ts';
import type { RunRecord } from '../../dev/durability/checker.ts';
import { killTheirServer } from '../../dev/durability/reconnect.ts';
import { describeWithOwnService, describeWithService } from '../../dev/services/shared.ts';
import { Listener, Publisher } from '../../dev/storm/people.ts';
import { runStorm } from '../../dev/storm/storm.ts';

/**
 * STORM_SEED repeats a run. STORM_SECONDS sets its length; the default is 45 s, and three minutes
 * in CI.
 */
const seed = Number(process.env.STORM_SEED ?? 7);
const seconds = Number(process.env.STORM_SECONDS ?? (process.env.CI ? 180 : 45));

await describeWithOwnService(['kafka', 'mongo', 'redis'], 'three servers on real services', () => {
  it(`loses, repeats and reorders no message while all parts are killed and frozen (seed ${seed}, ${seconds} s)`, {
    timeout: (seconds + 400) * 1_000,
  }, async () => {
    // disk-faults.full harms the disks.
    const report = await runStorm({ seed, seconds, rate: 150, disks: false });
    const { findings, surprises, resets, file } = report;
    expect({ findings, surprises, resets, file }).toEqual({ findings: [], surprises: [], resets: 0, file: null });
    expect(report.acknowledged).toBeGreaterThan(seconds * 10);
    expect(report.deliveries).toBeGreaterThan(report.acknowledged);
    expect(report.reconnects).toBeGreaterThan(seconds / 10);
  });
});

await describeWithService(['kafka', 'mongo', 'redis'], 'clients that reconnect', () => {
  it('delivers each event once to a client that reconnects 200 times under load', { timeout: 180_000 }, async () => {
    const cluster = await startCluster({ servers: 2, env: { LIMITS: 'off' } });
    const seen: RunRecord[] = [];
    const surprises: string[] = [];
    const world = {
      // Clients reconnect after 50 ms, to the other server.
      random: () => 0,
      record: (record: RunRecord) => {
        if (record.what !== 'sent') seen.push(record);
      },
      surprise: (what: string) => surprises.push(what),
      urls: cluster.servers.map(({ url }) => url),
      token: (userId: number) => cluster.token(userId),
    };
    const publisher = new Publisher({ ...world, random: Math.random }, 1, ['r-5'], 'resume');
    const listener = new Listener(world, 'listener', 2, ['r-5'], new Map());
    const talking = setInterval(() => publisher.speak(), 10);
    try {
      publisher.start();
      listener.start();
      for (let resumed = 0; resumed < 200; resumed++) {
        while (!listener.isLive) await delay(5);
        await delay(resumed % 20);
        listener.cut();
      }
      clearInterval(talking);
      while (publisher.open > 0 || !listener.isLive) await delay(20);
      const newest = Math.max(...seen.map((record) => (record.what === 'acked' ? record.seq : 0)));
      while ((listener.last.get('r-5') ?? 0) < newest) await delay(20);
    } finally {
      clearInterval(talking);
      publisher.stop();
      listener.stop();
      await cluster.stop();
    }
    const delivered = seen.flatMap((record) => (record.what === 'delivered' ? [record.seq] : []));
    expect(delivered).toEqual(delivered.map((_, i) => i + 1));
    const acknowledged = seen.flatMap((record) => (record.what === 'acked' ? [record.seq] : []));
    expect(Math.max(...acknowledged)).toBe(delivered.length);
    expect(acknowledged.length).toBeGreaterThan(500);
    expect(seen.filter(({ what }) => what === 'reset')).toEqual([]);
    expect(surprises).toEqual([]);
  });
});

await describeWithOwnService(['kafka', 'mongo', 'redis'], 'the clients of a killed server', () => {
  it('brings the clients of a killed server up to date on the other servers within 30 s', {
    timeout: 300_000,
  }, async () => {
    const report = await killTheirServer({ clients: 600, rate: 50, rooms: 60, own: true });
    const { gapsAndRepeats, incomplete, resets, surprises } = report;
    expect({ gapsAndRepeats, incomplete, resets, surprises }).toEqual({
      gapsAndRepeats: 0,
      incomplete: 0,
      resets: 0,
      surprises: [],
    });
    expect(report.back.last).toBeLessThan(30_000);
    expect(report.messages).toBeGreaterThan(100);
  });
});
