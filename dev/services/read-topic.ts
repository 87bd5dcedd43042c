import { randomBytes } from 'node:crypto';
import { type IHeaders, Kafka, logLevel } from './kafkajs.ts';

/** A record as it lies in the topic. */
export interface RawRecord {
  readonly key: string | null;
  readonly value: string | null;
  /** Headers whose value is a text. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads all records that a topic has now, of all partitions, in no particular order. */
export async function readTopic(brokers: readonly string[], topic: string): Promise<RawRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic).finally(() => admin.disconnect());
  const open = new Map(
    offsets.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, BigInt(high) - 1n]),
  );
  const records: RawRecord[] = [];
  if (open.size === 0) return records;
  const consumer = kafka.consumer({ groupId: `read-${randomBytes(6).toString('hex')}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ partition, message }: { partition: number; message: KafkaRecord }) => {
        const last = open.get(partition);
        if (last === undefined) return;
        records.push(rawRecord(message));
        if (BigInt(message.offset) >= last) open.delete(partition);
        if (open.size === 0) resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records;
}

interface KafkaRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly offset: string;
  readonly headers?: IHeaders;
}

function rawRecord({ key, value, headers = {} }: KafkaRecord): RawRecord {
  const texts = Object.entries(headers).flatMap(([name, text]) =>
    text === undefined || Array.isArray(text) ? [] : [[name, String(text)]],
  );
  return { key: key?.toString() ?? null, value: value?.toString() ?? null, headers: Object.fromEntries(texts) };
}
