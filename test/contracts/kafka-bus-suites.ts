import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message, typing } from '../../dev/events.ts';
import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import { freePorts } from '../../dev/services/free-port.ts';
import { type RunningKafka, startKafka } from '../../dev/services/kafka.ts';
import { CompressionTypes, Kafka, logLevel } from '../../dev/services/kafkajs.ts';
import { describeWithOwnService, describeWithService } from '../../dev/services/shared.ts';
import { clientContext, openClient } from '../../src/adapters/kafka/kafkajs/client.ts';
import type { OpenDriver } from '../../src/adapters/kafka/load-driver.ts';
import { type KafkaBusOptions, KafkaMessageBus } from '../../src/adapters/kafka/message-bus.ts';
import { DEFAULT_GROUPS, DEFAULT_TOPICS, type NamePerStream } from '../../src/adapters/kafka/topics.ts';
import { MAX_UNPACKED_BYTES } from '../../src/adapters/kafka/unpack.ts';
import { Heard } from '../support/heard.ts';
import { MESSAGE_BUS_CASES, messageBusContract, runMessageBusCase } from './message-bus.ts';

/**
 * Declares the suites of the Kafka bus on one client library. `name` is the name of the library.
 */
export async function kafkaBusSuites(name: string, openDriver: OpenDriver): Promise<void> {
  const prefix = `bus-${name}-${process.pid}-`;
  const topics = prefixed(DEFAULT_TOPICS);
  const groups = prefixed(DEFAULT_GROUPS);
  const timing = { session: 3_000, heartbeat: 500, silence: 6_000, commit: 500 };

  function prefixed(names: NamePerStream): NamePerStream {
    const entries = Object.entries(names).map(([kind, name]) => [kind, `${prefix}${name}`]);
    return { ...names, ...Object.fromEntries(entries) };
  }

  let servers = 0;
  function nextServer(): string {
    servers += 1;
    return `own-${servers}`;
  }

  interface Started {
    readonly bus: KafkaMessageBus;
    readonly heard: Heard;
    readonly telemetry: RecordedTelemetry;
  }

  const warnings: Error[] = [];
  process.on('warning', (warning) => warnings.push(warning));
  afterAll(() => {
    expect(warnings.filter(({ name }) => name === 'TimeoutNegativeWarning')).toEqual([]);
  });

  const opened: KafkaMessageBus[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close({ forget: true })));
  });

  function open(
    brokers: readonly string[],
    serverId: string,
    options: Partial<KafkaBusOptions> = {},
    telemetry = new RecordedTelemetry(),
  ): KafkaMessageBus {
    const own = { brokers, serverId, telemetry, topics, groups, timing, openDriver };
    const bus = new KafkaMessageBus({ ...own, ...options });
    opened.push(bus);
    return bus;
  }

  async function started(
    brokers: readonly string[],
    serverId = nextServer(),
    options: Partial<KafkaBusOptions> = {},
  ): Promise<Started> {
    const telemetry = new RecordedTelemetry();
    const heard = new Heard();
    const bus = open(brokers, serverId, options, telemetry);
    await bus.start(heard.handler);
    return { bus, heard, telemetry };
  }

  await describeWithService('kafka', `the Kafka bus on ${name}`, ({ kafka: brokers }) => {
    const client = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const producer = client.producer();
    const admin = client.admin();
    beforeAll(async () => {
      await Promise.all([producer.connect(), admin.connect()]);
    });
    afterAll(async () => {
      await admin.deleteTopics({ topics: Object.values(topics) }).catch(() => {});
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    });

    const garbage = [
      { key: 'r-5', value: Buffer.from([0, 255, 254, 1]) },
      { key: 'r-5', value: null },
      { key: 'r-5', value: '[]' },
      { key: 'r-5', value: '{}' },
      { key: 'r-5', value: '{"channelId":5,"id":"6b030f10cedf3b3501ec1679","userId":1}', headers: { seq: 'x' } },
    ];
    const putGarbage = async () => {
      await producer.send({ topic: topics.DIRECT, messages: garbage });
    };

    messageBusContract(
      () => ({
        open: (serverId) => open(brokers, serverId),
        putGarbage,
        tooLargeContent: 1_500_000,
        interrupt: async (bus) => {
          if (bus instanceof KafkaMessageBus) bus.restartConsumers('the test lost the connection');
        },
      }),
      { cannotBeStopped: 'other tests use the same broker; a suite below stops one of its own' },
    );

    it('shows lag, age of the last heart-beat and restarts of the consumer of each topic', async () => {
      const { bus } = await started(brokers);
      const names = Object.values(topics).toSorted();
      const figures = () => bus.figures().toSorted((a, b) => a.topic.localeCompare(b.topic));
      expect(figures().map(({ topic }) => topic)).toEqual(names);
      expect(figures()).toMatchObject(names.map((topic) => ({ topic, lag: 0, restarts: 0 })));
      expect(Math.max(...figures().map(({ heartbeatAge }) => heartbeatAge))).toBeLessThan(10);
      await putGarbage();
      bus.restartConsumers('the test wants it');
      await expect.poll(() => figures().map(({ restarts }) => restarts)).toEqual(names.map(() => 1));
    });

    it('starts in under five seconds', async () => {
      await started(brokers);
      const before = performance.now();
      await started(brokers);
      expect(performance.now() - before).toBeLessThan(5_000);
    });

    it('makes new topics on a single broker that is listed by two names', async () => {
      const twice = brokers.flatMap((broker) => [broker, broker.replace('127.0.0.1', 'localhost')]);
      const prefix = `twice-${name}-${process.pid}-`;
      const names = Object.entries(topics).map(([stream, name]) => [stream, `${prefix}${name}`]);
      const bus = open(twice, 'twice', { topics: { ...topics, ...Object.fromEntries(names) } });
      await bus.start(() => {});
      expect(bus.health()).toEqual({ ready: true });
    });

    it('starts while Kafka is away and joins later, and is refused then if another server has its id', async () => {
      const { bus: first } = await started(brokers, 'taken');
      const [port = 0] = await freePorts(1);
      const address = `127.0.0.1:${port}`;
      const refused = Promise.withResolvers<unknown>();
      // Long enough for the wait for an earlier run, which takes a session and a heartbeat.
      const soonAway = { ...timing, prepare: 5_000 };
      const same = open([address], 'taken', { timing: soonAway, onRefused: refused.resolve });
      const [late] = await Promise.all([started([address], nextServer(), { timing: soonAway }), same.start(() => {})]);
      expect(late.bus.health()).toEqual({
        ready: false,
        reason: `cannot connect to Kafka at ${address} (connection refused)`,
      });
      const [host, brokerPort] = (brokers[0] ?? '').split(':');
      const road = createServer((socket) => {
        const onward = connect({ host, port: Number(brokerPort) });
        for (const end of [socket, onward]) end.on('error', () => {});
        socket.pipe(onward).pipe(socket);
      }).listen(port, '127.0.0.1');
      expect(String(await refused.promise)).toContain('another live server uses the server id taken');
      await expect.poll(() => late.bus.health(), { timeout: 20_000 }).toEqual({ ready: true });
      await first.publish([{ event: message('r-5', 1) }]);
      await late.heard.count(1);
      expect(first.health()).toEqual({ ready: true });
      road.close();
    }, 60_000);

    it('creates missing topics with six partitions, and uses a topic of one partition as it is', async () => {
      const single = `${prefix}single`;
      await admin.createTopics({ topics: [{ topic: single, numPartitions: 1 }], waitForLeaders: true });
      const names = { ...topics, DIRECT: single };
      const bus = open(brokers, nextServer(), { topics: names });
      const heard = new Heard();
      await bus.start(heard.handler);
      await bus.publish([{ event: message('r-5', 1) }, { event: message('c-5', 1) }]);
      await heard.count(2);
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [single, topics.CHANNEL] });
      expect(found.map(({ name, partitions }) => [name, partitions.length]).sort()).toEqual(
        [
          [single, 1],
          [topics.CHANNEL, 6],
        ].sort(),
      );
    });

    it('five servers that start at the same time on a Kafka without topics all start', async () => {
      const fresh: NamePerStream = { ...topics };
      for (const [kind, name] of Object.entries(topics)) Object.assign(fresh, { [kind]: `${name}-fresh` });
      const several = Array.from({ length: 5 }, () => open(brokers, nextServer(), { topics: fresh }));
      await Promise.all(several.map((bus) => bus.start(() => {})));
      expect(several.map((bus) => bus.health())).toEqual(several.map(() => ({ ready: true })));
      await admin.deleteTopics({ topics: Object.values(fresh) });
    });

    it('counts records that cannot be decoded, logs one of them and skips them', async () => {
      const { bus, heard, telemetry } = await started(brokers);
      await putGarbage();
      await bus.publish([{ event: message('r-5', 1) }]);
      expect(await heard.until((events) => events.length === 1)).toEqual([message('r-5', 1)]);
      expect(heard.records).toHaveLength(garbage.length + 1);
      expect(telemetry.counts.get('records_skipped')).toBe(garbage.length);
      expect(telemetry.logs.filter(({ what }) => what.includes('decoded'))).toHaveLength(1);
    });

    it('goes on behind a compressed batch that becomes too large, counts it and logs it once', async () => {
      const { bus, heard, telemetry } = await started(brokers);
      const bomb = { key: 'r-5', value: Buffer.alloc(MAX_UNPACKED_BYTES) };
      const compression = CompressionTypes.GZIP;
      await producer.send({ topic: topics.DIRECT, compression, messages: [bomb] });
      await producer.send({ topic: topics.DIRECT, compression, messages: [bomb] });
      await bus.publish([{ event: message('r-5', 1) }]);
      expect(await heard.count(1)).toEqual([message('r-5', 1)]);
      expect(telemetry.counts.get('records_skipped')).toBe(2);
      const logged = telemetry.logs.filter(({ level }) => level !== 'info');
      expect(logged.map(({ fields }) => fields)).toMatchObject([
        { topic: topics.DIRECT, error: `compressed records hold more than ${MAX_UNPACKED_BYTES} bytes` },
      ]);
    });

    it('receives a record of an original server, without a number', async () => {
      const { heard } = await started(brokers);
      const value = JSON.stringify({
        id: '6b030f10cedf3b3501ec1679',
        channelId: 5,
        userId: 1,
        parentId: null,
        content: 'hello',
        localDateTime: [2026, 11, 22, 15, 49, 35, 642941738],
        type: null,
        name: 'user1',
        profileImage: null,
      });
      const headers = { __TypeId__: 'com.example.chatserver.domain.DirectMessage' };
      await producer.send({ topic: topics.DIRECT, messages: [{ value, headers }] });
      const [event] = await heard.count(1);
      expect(event).toMatchObject({ kind: 'foreign', event: { kind: 'message', place: 'r-5', userId: 1 } });
      expect(heard.records[0]).toMatchObject({ key: null, server: null, seq: null, batchEnd: null });
    });

    it('reads a record whose value begins with a byte order mark, and repairs its texts', async () => {
      const { heard } = await started(brokers);
      const fields = {
        id: '6b030f10cedf3b3501ec1679',
        channelId: 5,
        userId: 1,
        content: 'half \ud83d',
        name: '\ude00',
      };
      const value = `\ufeff${JSON.stringify(fields)}`;
      await producer.send({ topic: topics.DIRECT, messages: [{ value }] });
      const [event] = await heard.count(1);
      expect(event).toMatchObject({ kind: 'foreign', event: { content: 'half \ufffd', name: '\ufffd' } });
    });

    it('removes its groups on close with forget', async () => {
      const serverId = nextServer();
      const { bus } = await started(brokers, serverId);
      const ours = async () => (await admin.listGroups()).groups.filter(({ groupId }) => groupId.endsWith(serverId));
      expect(await ours()).toHaveLength(6);
      await bus.close({ forget: true });
      expect(await ours()).toEqual([]);
    });

    it('does not let two servers run that start under one id at the same moment', async () => {
      const serverId = nextServer();
      const both = [open(brokers, serverId), open(brokers, serverId)];
      const results = await Promise.allSettled(both.map((bus) => bus.start(() => {})));
      expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(2);
      for (const result of results) if (result.status === 'rejected') expect(String(result.reason)).toContain(serverId);
    });

    it('waits until an earlier run of the server, which was killed, has timed out', async () => {
      const serverId = nextServer();
      const options = {
        brokers,
        clientId: 'killed',
        telemetry: new RecordedTelemetry(),
        tls: null,
        sasl: null,
        compression: 'none' as const,
      };
      const killed = openClient(clientContext(options), { retries: 0 });
      const member = killed.kafka.consumer({
        groupId: `${groups.STATE}-${serverId}`,
        sessionTimeout: timing.session,
        heartbeatInterval: timing.heartbeat,
      });
      await member.subscribe({ topic: topics.STATE });
      const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve));
      await member.run({ eachMessage: async () => {} });
      await joined;
      killed.abandon();
      const { bus, heard, telemetry } = await started(brokers, serverId);
      await bus.publish([{ event: typing('r-5', 'x') }]);
      await heard.count(1);
      expect(telemetry.logs.filter(({ what }) => what.includes('earlier run'))).toHaveLength(1);
    });
  });

  await describeWithOwnService('kafka', `the Kafka bus on ${name} with a broker that fails`, () => {
    let kafka: RunningKafka;
    beforeAll(async () => {
      kafka = await startKafka({ own: true, heapMb: 256 });
    }, 200_000);
    afterEach(() => Promise.all(opened.splice(0).map((bus) => bus.close())));
    afterAll(() => kafka?.stop());

    for (const one of MESSAGE_BUS_CASES.filter(({ limit }) => limit === 'cannotBeStopped')) {
      const harness = () => ({
        open: (serverId: string) => open(kafka.brokers, serverId),
        stopBroker: () => kafka.kill(),
        startBroker: () => kafka.restart(),
        timeoutMs: 30_000,
      });
      it(one.name, () => runMessageBusCase(one, harness()), 90_000);
    }

    it('loses no acknowledged record and repeats none when Kafka is frozen for five seconds', async () => {
      const [one, two] = await Promise.all([started(kafka.brokers), started(kafka.brokers)]);
      await one.bus.publish([1, 2].map((seq) => ({ event: message('r-5', seq) })));
      await two.heard.count(2);
      await kafka.freeze();
      setTimeout(() => void kafka.thaw(), 5_000);
      const inFlight = retried(() => one.bus.publish([{ event: typing('r-5', 'meanwhile') }]));
      const waiting = Array.from({ length: 20 }, (_, i) => message('r-5', i + 3));
      await Promise.all([inFlight, ...waiting.map((event) => one.bus.publish([{ event }]))]);
      const events = await two.heard.until((all) => seqsOf(all).has(22), 20_000);
      const seqs = events.flatMap((event) => (event.kind === 'message' ? event.seq : []));
      expect(seqs).toEqual(Array.from({ length: 22 }, (_, i) => i + 1));
    }, 60_000);
  });

  function seqsOf(events: readonly { readonly kind: string }[]): Set<unknown> {
    return new Set(events.map((event) => ('seq' in event ? event.seq : null)));
  }

  /** Publishes again after a failure, as a caller with an outbox does. */
  async function retried(work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  }

  describe(`the Kafka bus on ${name} without a broker`, () => {
    it('starts in bounded time although no broker answers, and names the address and the reason', async () => {
      const bus = open(['127.0.0.1:1'], 'nobody', { timing: { ...timing, prepare: 1_000 } });
      await bus.start(() => {});
      const reason = 'cannot connect to Kafka at 127.0.0.1:1 (connection refused)';
      expect(bus.health()).toEqual({ ready: false, reason });
      await expect(bus.publish([{ event: message('r-5', 1) }])).rejects.toThrow(reason);
    });

    it('refuses one topic name for two streams', () => {
      const telemetry = new RecordedTelemetry();
      const names = { ...topics, FILE: topics.STATE };
      expect(
        () => new KafkaMessageBus({ brokers: ['x:1'], serverId: 'a', telemetry, topics: names, openDriver }),
      ).toThrow('six different names');
    });
  });
}
