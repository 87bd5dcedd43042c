import { CompressionTypes, Partitioners, type Producer } from 'kafkajs';
import { type Compression, type KafkaProducer, NotReadyError, type OutgoingMessage } from '../driver.ts';
import { type Client, type ClientContext, disconnect, METADATA_MS, openClient } from './client.ts';

const TYPES: Readonly<Record<Compression, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
};

export class KafkaJsProducer implements KafkaProducer {
  readonly #client: Client;
  readonly #compression: CompressionTypes;
  readonly #producer: Producer;
  #connected: Promise<void> | null = null;

  constructor(context: ClientContext) {
    this.#compression = TYPES[context.options.compression];
    // The sender repeats a failed request itself, with new connections.
    this.#client = openClient(context, { retries: 0 });
    this.#producer = this.#client.kafka.producer({
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MS,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
  }

  connect(): Promise<void> {
    this.#connected ??= this.#producer.connect();
    return this.#connected;
  }

  async send(messagesByTopic: ReadonlyMap<string, readonly OutgoingMessage[]>): Promise<void> {
    await this.connect();
    const written = await this.#producer.sendBatch({
      acks: -1,
      compression: this.#compression,
      topicMessages: [...messagesByTopic].map(([topic, messages]) => ({
        topic,
        messages: messages.map(({ key, value, headers, partition }) => ({
          key,
          value,
          headers: { ...headers },
          partition,
        })),
      })),
    });
    // kafkajs leaves out partitions that do not exist.
    for (const [topic, messages] of messagesByTopic) {
      const done = new Set(written.filter(({ topicName }) => topicName === topic).map(({ partition }) => partition));
      const missing = messages.find(({ partition }) => !done.has(partition));
      if (missing !== undefined) throw new NotReadyError(`${topic} has no partition ${missing.partition}`);
    }
  }

  async close(): Promise<void> {
    await disconnect(this.#producer);
    this.abandon();
  }

  abandon(): void {
    this.#client.abandon();
  }
}
