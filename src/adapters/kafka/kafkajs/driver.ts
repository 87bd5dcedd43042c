import { withTimeout } from '../../support/with-timeout.ts';
import {
  type ClientOptions,
  type KafkaAdmin,
  type KafkaConsumer,
  type KafkaConsumerOptions,
  type KafkaDriver,
  type KafkaProblem,
  type KafkaProducer,
  NoAnswerError,
} from '../driver.ts';
import { KafkaJsAdmin } from './admin.ts';
import { disconnect, openClient } from './client.ts';
import { KafkaJsConsumer } from './consumer.ts';
import { classify } from './errors.ts';
import { KafkaJsProducer } from './producer.ts';

/** The driver on kafkajs. */
export class KafkaJsDriver implements KafkaDriver {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async withAdmin<T>(ms: number, task: string, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    const { kafka, abandon } = openClient(this.#options, { retries: 5 });
    const admin = kafka.admin();
    try {
      const done = admin.connect().then(() => work(new KafkaJsAdmin(admin, this.#options.brokers.length)));
      return await withTimeout(ms, done, () => new NoAnswerError(`${task} took longer than ${ms} ms`));
    } finally {
      await disconnect(admin);
      abandon();
    }
  }

  openProducer(): KafkaProducer {
    return new KafkaJsProducer(this.#options);
  }

  openConsumer(options: KafkaConsumerOptions): KafkaConsumer {
    return new KafkaJsConsumer(this.#options, options);
  }

  classify(error: unknown): KafkaProblem {
    return classify(error);
  }
}
