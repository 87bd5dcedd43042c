/**
 * The lowest cost of the durable path: the waiting messages of each room in one ordered
 * `insertMany` with majority and journal, under a unique key (room, number); a receipt; one produce
 * with all acknowledgements for all rooms together; and the consumer. There are no clients, no
 * fan-out and no checks. Arguments: broker, MongoDB URL, rooms, messages in flight of each,
 * seconds. Prints `ready`, then one line of JSON when it has run.
 */

import { MongoClient } from 'mongodb';
import { Kafka, logLevel } from '../../dev/services/kafkajs.ts';
import { Histogram } from '../../src/bootstrap/cli/load/histogram.ts';

const [broker = '', url = '', rooms = 20, window = 4, seconds = 8] = process.argv
  .slice(2)
  .map((text, i) => (i < 2 ? text : Number(text))) as [string, string, number, number, number];

interface Message {
  readonly room: number;
  readonly seq: number;
  readonly at: number;
}

const name = `bare-${process.pid}-${Date.now()}`;
const kafka = new Kafka({ brokers: [broker], clientId: name, logLevel: logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
const { brokers: members } = await admin.describeCluster();
const replicationFactor = Math.min(members.length, 3);
await admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions: 6, replicationFactor }] });
const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
const mongo = await new MongoClient(url, { writeConcern: { w: 'majority', journal: true } }).connect();
const events = mongo.db(name).collection('event');
await events.createIndex({ room: 1, seq: 1 }, { unique: true });

const received = new Histogram();
const delivered = new Histogram();
const content = 'x'.repeat(256);
let counting = false;
let running = true;
let count = 0;
const lanes = Array.from({ length: rooms }, (_, room) => ({ room, seq: 0, pending: [] as Message[], busy: false }));
let toPublish: Message[] = [];
let publishing = false;

function send(room: number): void {
  const lane = lanes[room];
  if (lane === undefined || !running) return;
  lane.seq += 1;
  lane.pending.push({ room, seq: lane.seq, at: performance.now() });
  if (!lane.busy) void write(lane);
}

async function write(lane: (typeof lanes)[number]): Promise<void> {
  lane.busy = true;
  // Messages of the same turn go together.
  await Promise.resolve();
  while (lane.pending.length > 0) {
    const batch = lane.pending;
    lane.pending = [];
    await events.insertMany(batch.map(({ room, seq }) => ({ room, seq, content })));
    for (const { at } of batch) if (counting) received.add(performance.now() - at);
    toPublish.push(...batch);
    if (!publishing) void publish();
  }
  lane.busy = false;
}

async function publish(): Promise<void> {
  publishing = true;
  while (toPublish.length > 0) {
    const batch = toPublish;
    toPublish = [];
    const messages = batch.map((message) => ({
      key: String(message.room),
      value: JSON.stringify({ ...message, content }),
    }));
    await producer.send({ topic: name, acks: -1, messages });
  }
  publishing = false;
}

const consumer = kafka.consumer({ groupId: name, maxWaitTimeInMs: 500 });
await consumer.connect();
await consumer.subscribe({ topics: [name], fromBeginning: true });
const joined = Promise.withResolvers<void>();
consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: 6,
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) {
      const { room, at } = JSON.parse(String(value)) as Message;
      if (counting) {
        delivered.add(performance.now() - at);
        count += 1;
      }
      send(room);
    }
  },
});
await joined.promise;
process.stdout.write('ready\n');
for (const { room } of lanes) for (let i = 0; i < window; i += 1) send(room);
setTimeout(() => {
  const cpu = process.cpuUsage();
  counting = true;
  setTimeout(() => {
    const used = process.cpuUsage(cpu);
    running = false;
    counting = false;
    const result = {
      perSecond: count / seconds,
      received: [received.at(0.5), received.at(0.99)],
      delivered: [delivered.at(0.5), delivered.at(0.99)],
      cpuPerMessage: (used.user + used.system) / count,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  }, seconds * 1000);
}, 3_000);
