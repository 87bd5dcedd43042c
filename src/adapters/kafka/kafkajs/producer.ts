import { Partitioners, type Producer } from 'kafkajs';
import type { ClientOptions, KafkaProducer, OutgoingMessage } from '../driver.ts';
import { type Client, disconnect, METADATA_MS, openClient } from './client.ts';

export class KafkaJsProducer implements KafkaProducer {
  readonly #client: Client;
  readonly #producer: Producer;
  #connected: Promise<void> | null = null;

  constructor(options: ClientOptions) {
    // The sender repeats a failed request itself, with new connections.
    this.#client = openClient(options, { retries: 0 });
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
    await this.#producer.sendBatch({
      acks: -1,
      topicMessages: [...messagesByTopic].map(([topic, messages]) => ({
        topic,
        messages: messages.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
      })),
    });
  }

  async close(): Promise<void> {
    await disconnect(this.#producer);
    this.abandon();
  }

  abandon(): void {
    this.#client.abandon();
  }
}
