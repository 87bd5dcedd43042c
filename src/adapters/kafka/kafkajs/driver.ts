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
import { type ClientContext, clientContext, disconnect, openClient } from './client.ts';
import { KafkaJsConsumer } from './consumer.ts';
import { classify } from './errors.ts';
import { KafkaJsProducer } from './producer.ts';

/** The driver on kafkajs. */
export class KafkaJsDriver implements KafkaDriver {
  readonly #context: ClientContext;

  constructor(options: ClientOptions) {
    this.#context = clientContext(options);
  }

  async withAdmin<T>(ms: number, task: string, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    const { kafka, abandon } = openClient(this.#context, { retries: 5 });
    const admin = kafka.admin();
    try {
      const done = admin.connect().then(() => work(new KafkaJsAdmin(admin)));
      return await withTimeout(ms, done, () => new NoAnswerError(`${task} took longer than ${ms} ms`));
    } finally {
      await disconnect(admin);
      abandon();
    }
  }

  openProducer(): KafkaProducer {
    return new KafkaJsProducer(this.#context);
  }

  openConsumer(options: KafkaConsumerOptions): KafkaConsumer {
    return new KafkaJsConsumer(this.#context, options);
  }

  classify(error: unknown): KafkaProblem {
    return classify(error);
  }
}
