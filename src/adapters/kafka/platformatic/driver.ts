import { Admin } from '@platformatic/kafka';
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
import { PlatformaticAdmin } from './admin.ts';
import { abandon, Connections, clientOptions } from './client.ts';
import { PlatformaticConsumer } from './consumer.ts';
import { classify } from './errors.ts';
import { PlatformaticProducer } from './producer.ts';

const RETRIES = 5;
const RETRY_PAUSE_MS = 200;

/** The driver on @platformatic/kafka. */
export class PlatformaticDriver implements KafkaDriver {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async withAdmin<T>(ms: number, task: string, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    const admin = new Admin({ ...clientOptions(this.#options), retries: RETRIES, retryDelay: RETRY_PAUSE_MS });
    const connections = new Connections();
    connections.watch(admin.connections);
    try {
      const done = work(new PlatformaticAdmin(admin));
      return await withTimeout(ms, done, () => new NoAnswerError(`${task} took longer than ${ms} ms`));
    } catch (error) {
      throw connections.explain(error);
    } finally {
      abandon(admin, connections);
    }
  }

  openProducer(): KafkaProducer {
    return new PlatformaticProducer(this.#options);
  }

  openConsumer(options: KafkaConsumerOptions): KafkaConsumer {
    return new PlatformaticConsumer(this.#options, options);
  }

  classify(error: unknown): KafkaProblem {
    return classify(error);
  }
}
