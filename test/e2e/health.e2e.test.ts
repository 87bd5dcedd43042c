import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';

interface Page {
  readonly status: number;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** Names of the parts. */
  readonly degraded: readonly string[];
}

/** Time in which a server notices that a part is away or back. */
const NOTICED = { timeout: 40_000, interval: 200 };

await describeWithOwnService(['kafka', 'mongo', 'redis'], 'the health of a server', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ servers: 1, own: true });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  async function health(): Promise<Page> {
    const answer = await fetch(`${cluster.servers[0]?.url}/chat-server/health/ready`);
    const { degraded, ...rest } = (await answer.json()) as Page;
    return { ...rest, status: answer.status, degraded: degraded.map((text) => text.split(':')[0] ?? '').sort() };
  }
  const ready = (...degraded: string[]) => ({ status: 200, ready: true, reasons: [], degraded });
  async function metrics(): Promise<string> {
    return (await fetch(`${cluster.servers[0]?.url}/metrics`)).text();
  }

  /** The values of a metric, by topic. */
  async function values(metric: string): Promise<number[]> {
    const found = (await metrics()).matchAll(new RegExp(`^${metric}\\{topic="[^"]+"\\} (\\S+)$`, 'gm'));
    return [...found].map(([, value]) => Number(value));
  }
  const lags = () => values('chat_kafka_lag_records');
  const heartbeatAges = () => values('chat_kafka_heartbeat_age_seconds');

  it('stays ready while Kafka, MongoDB, Redis and presence are away, and names each of them', {
    timeout: 240_000,
  }, async () => {
    await expect.poll(health, NOTICED).toEqual(ready());
    await expect.poll(lags, NOTICED).toEqual([0, 0, 0, 0, 0, 0]);
    await expect.poll(heartbeatAges, NOTICED).toHaveLength(6);
    expect(Math.max(...(await heartbeatAges()))).toBeLessThan(10);
    await cluster.presence.stop();
    await cluster.redis.kill();
    await expect.poll(health, NOTICED).toEqual(ready('presence', 'redis'));
    await cluster.mongo.freeze();
    await expect.poll(health, NOTICED).toEqual(ready('mongodb', 'presence', 'redis'));
    await cluster.kafka.kill();
    await expect.poll(health, NOTICED).toEqual(ready('kafka', 'mongodb', 'presence', 'redis'));
    const text = await metrics();
    for (const line of ['chat_ready 1', 'chat_degraded{part="kafka"} 1', 'chat_degraded{part="mongodb"} 1']) {
      expect(text).toContain(line);
    }
    await Promise.all([cluster.kafka.restart(), cluster.mongo.thaw(), cluster.redis.restart()]);
    await cluster.presence.start();
    await expect.poll(health, NOTICED).toEqual(ready());
    expect(await metrics()).toContain('chat_degraded{part="kafka"} 0');
  });
});
