import { Producer, stringSerializers } from '@platformatic/kafka';
import type { Compression, KafkaProducer, OutgoingMessage } from '../driver.ts';
import { abandon, type ClientContext, Connections, clientOptions, close } from './client.ts';

const ALL_REPLICAS = -1;

export class PlatformaticProducer implements KafkaProducer {
  readonly #compression: Compression;
  readonly #producer: Producer<string, string, string, string>;
  readonly #connections: Connections;
  #connected: Promise<void> | null = null;

  constructor({ options, log }: ClientContext) {
    this.#compression = options.compression;
    // The sender repeats a failed request itself, with new connections.
    this.#producer = new Producer({
      ...clientOptions(options),
      retries: 0,
      repeatOnStaleMetadata: false,
      serializers: stringSerializers,
    });
    this.#connections = new Connections(log);
    this.#connections.watch(this.#producer.connections);
  }

  connect(): Promise<void> {
    this.#connected ??= this.#producer.metadata({ topics: [] }).then(
      () => {},
      (error: unknown) => {
        throw this.#connections.explain(error);
      },
    );
    return this.#connected;
  }

  async send(messagesByTopic: ReadonlyMap<string, readonly OutgoingMessage[]>): Promise<void> {
    await this.connect();
    try {
      await this.#producer.send({
        acks: ALL_REPLICAS,
        compression: this.#compression,
        messages: [...messagesByTopic].flatMap(([topic, messages]) =>
          messages.map(({ key, value, headers, partition }) => ({
            topic,
            key,
            value,
            headers: { ...headers },
            partition,
          })),
        ),
      });
    } catch (error) {
      throw this.#connections.explain(error);
    }
  }

  close(): Promise<void> {
    return close(this.#producer, this.#connections);
  }

  abandon(): void {
    abandon(this.#producer, this.#connections);
  }
}
