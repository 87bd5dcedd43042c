import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { typing } from '../../dev/events.ts';
import { type RunningKafkaCluster, startKafkaCluster } from '../../dev/services/kafka-cluster.ts';
import { activeController } from '../../dev/services/kafka-quorum.ts';
import { ConfigResourceTypes } from '../../dev/services/kafkajs.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { asAdmin, ClusterBuses, type Conversation, HEALTHY } from './kafka-cluster-buses.ts';

/** Time in which writing must work again after a broker was lost. */
const RECOVERY_MS = 120_000;

await describeWithOwnService('kafka', 'the Kafka bus on three brokers in trouble', () => {
  let cluster: RunningKafkaCluster;
  let buses: ClusterBuses;
  beforeAll(async () => {
    cluster = await startKafkaCluster();
    buses = new ClusterBuses(cluster);
  });
  afterAll(() => cluster?.stop());
  afterEach(() => buses.close());

  /** Publishes until all rooms take messages again, and waits until all of them are heard. */
  async function recover(pairs: readonly Conversation[]): Promise<void> {
    await Promise.all(
      pairs.map(async (pair) => {
        await expect.poll(() => pair.publishToAll(), { timeout: RECOVERY_MS }).toEqual([]);
        await pair.heardAll(RECOVERY_MS);
        await expect.poll(() => pair.health(), { timeout: RECOVERY_MS }).toEqual(HEALTHY);
      }),
    );
  }

  it('goes on when the broker with the active controller is killed and returns, on both clients', async () => {
    const pairs = await buses.pairs('controlled');
    await recover(pairs);
    const before = await activeController(cluster.internalBrokers);
    const member = cluster.members[before - 1];
    await member?.kill();
    await recover(pairs);
    expect(await activeController(cluster.internalBrokers)).not.toBe(before);
    await member?.restart();
    await recover(pairs);
  });

  it('follows a broker that comes back with another port, on both clients', async () => {
    const pairs = await buses.pairs('moved');
    await recover(pairs);
    await cluster.move(0);
    await recover(pairs);
    // The moved broker must lead partitions of the other two, and hold the groups.
    for (const index of [1, 2]) {
      await untilInSync(cluster, pairs);
      await cluster.members[index]?.kill();
      await recover(pairs);
      await cluster.members[index]?.restart();
    }
    await recover(pairs);
  });

  it('refuses records while min.insync.replicas is not met, and nothing else, on both clients', async () => {
    const pairs = await buses.pairs('insync');
    await recover(pairs);
    await untilInSync(cluster, pairs);
    await requireReplicas(cluster, pairs, 3);
    await cluster.members[2]?.kill();
    await Promise.all(
      pairs.map(async (pair) => {
        // Kafka gives the dead broker up after some seconds. Until then records wait.
        await expect
          .poll(() => pair.publish().then(nothing, String), { timeout: RECOVERY_MS })
          .toContain('Kafka did not accept the records');
        const began = performance.now();
        await expect(pair.writer.bus.publish([{ event: typing('r-5', 'x') }])).rejects.toThrow(/not accept/);
        expect(performance.now() - began).toBeLessThan(11_000);
        // Reading and the groups work as soon as another broker leads them: the listener, which
        // writes nothing, is healthy, and the writer has no other reason.
        await expect.poll(() => pair.listener.bus.health(), { timeout: RECOVERY_MS }).toEqual({ ready: true });
        await expect.poll(() => healthAfterRefusal(pair), { timeout: RECOVERY_MS }).toMatch(/^writing: /);
      }),
    );
    const restarts = pairs.map(({ listener }) => listener.bus.figures().map((one) => one.restarts));
    await cluster.members[2]?.restart();
    await recover(pairs);
    expect(pairs.map(({ listener }) => listener.bus.figures().map((one) => one.restarts))).toEqual(restarts);
  });
});

function nothing(): string {
  return 'accepted';
}

/** The writer's reason for not being ready, right after a refusal; otherwise an empty text. */
async function healthAfterRefusal({ writer }: Conversation): Promise<string> {
  await expect(writer.bus.publish([{ event: typing('r-5', 'x') }])).rejects.toThrow(/not accept/);
  return writer.bus.health().reason ?? '';
}

/** Resolves when all partitions of these topics have three replicas in sync. */
async function untilInSync(cluster: RunningKafkaCluster, pairs: readonly Conversation[]): Promise<void> {
  const topics = pairs.flatMap((pair) => Object.values(pair.topics));
  await expect
    .poll(
      () =>
        asAdmin(cluster, async (admin) => {
          const found = await admin.fetchTopicMetadata({ topics });
          return found.topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === 3));
        }).catch(() => false),
      { timeout: 60_000, interval: 500 },
    )
    .toBe(true);
}

async function requireReplicas(
  cluster: RunningKafkaCluster,
  pairs: readonly Conversation[],
  count: number,
): Promise<void> {
  const configEntries = [{ name: 'min.insync.replicas', value: String(count) }];
  const resources = pairs
    .flatMap((pair) => Object.values(pair.topics))
    .map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configEntries }));
  await asAdmin(cluster, (admin) => admin.alterConfigs({ validateOnly: false, resources }));
}
