import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import type { ServerProcess } from '../../dev/server-process.ts';
import { ConfigResourceTypes, Kafka, logLevel } from '../../dev/services/kafkajs.ts';
import { readTopic } from '../../dev/services/read-topic.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { RECORD_STREAMS } from '../../src/adapters/records/record-stream.ts';

const ROOM = 50;
const DIRECTORY = {
  users: Object.fromEntries([1, 2].map((id) => [String(id), { name: `name${id}`, image: null }])),
  rooms: { [ROOM]: [1, 2] },
  communities: {},
};
const BURST = 20;
const isNumbered = ({ seq }: Readonly<Record<string, unknown>>) => typeof seq === 'number';
const SOON = { timeout: 90_000, interval: 300 };

await describeWithOwnService(['kafka', 'mongo', 'redis'], 'servers on a Kafka without enough replicas', () => {
  let cluster: Cluster;
  let servers: readonly ServerProcess[];
  beforeAll(async () => {
    cluster = await startCluster({
      servers: 1,
      own: true,
      stack: { brokers: 3 },
      env: { LIMITS: 'off' },
      directory: DIRECTORY,
    });
    const other = await cluster.add({ env: { KAFKA_CLIENT: 'platformatic' } });
    servers = [...cluster.servers, other];
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  it('store, receipt and deliver messages meanwhile, and publish them when the replicas are back', async () => {
    const clients = await Promise.all(
      servers.map(({ url }, i) => StompClient.connect({ url, token: cluster.token(i + 1), userId: i + 1 })),
    );
    const rooms = await Promise.all(clients.map((client) => client.subscribe(`/topic/direct/${ROOM}`)));
    let sent = 0;
    const sendAll = async (name: string): Promise<void> => {
      const sending = clients.flatMap((client, i) =>
        Array.from({ length: BURST }, (_, n) => {
          const body = { channelId: ROOM, userId: i + 1, name: `name${i + 1}`, content: `${name} ${n}` };
          return client.send('/kafka/send-direct-message', body);
        }),
      );
      sent += sending.length;
      await Promise.all(sending);
    };
    const heard = (count: number) => Promise.all(rooms.map((room) => room.atLeast(count, isNumbered, SOON.timeout)));
    await sendAll('before');
    await heard(sent);

    await requireReplicas(3);
    await cluster.members.find(({ name }) => name === 'kafka-3')?.kill();
    await expect
      .poll(async () => {
        await sendAll('meanwhile');
        return Promise.all(servers.map(degraded));
      }, SOON)
      .toEqual(servers.map(() => [expect.stringMatching(/^kafka: writing: .*in-sync replicas/)]));
    await sendAll('during');
    await cluster.members.find(({ name }) => name === 'kafka-3')?.restart();
    await sendAll('after');
    await heard(sent);
    for (const { bodies } of rooms) {
      const seqs = bodies.filter(isNumbered).map(({ seq }) => seq);
      expect(seqs).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
    }
    await expect.poll(async () => new Set(await seqsOnTopic()).size, SOON).toBe(sent);
    await expect.poll(() => Promise.all(servers.map(degraded)), SOON).toEqual([[], []]);
    await Promise.all(clients.map((client) => client.close()));
  });

  /** The parts that a ready server reports as degraded. */
  async function degraded({ url }: ServerProcess): Promise<string[]> {
    const answer = await fetch(`${url}/chat-server/health/ready`);
    expect(answer.status).toBe(200);
    const page = (await answer.json()) as { readonly degraded: readonly string[] };
    return [...page.degraded];
  }

  async function seqsOnTopic(): Promise<number[]> {
    const records = await readTopic(cluster.kafka.brokers, cluster.topic('DIRECT'));
    return records.flatMap(({ key, headers }) => (key === `r-${ROOM}` && headers.seq ? [Number(headers.seq)] : []));
  }

  async function requireReplicas(count: number): Promise<void> {
    const configEntries = [{ name: 'min.insync.replicas', value: String(count) }];
    const resources = RECORD_STREAMS.map((stream) => ({
      type: ConfigResourceTypes.TOPIC,
      name: cluster.topic(stream),
      configEntries,
    }));
    const admin = new Kafka({ brokers: [...cluster.kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.alterConfigs({ validateOnly: false, resources });
    await admin.disconnect();
  }
});
