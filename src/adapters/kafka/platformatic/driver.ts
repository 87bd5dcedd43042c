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
import { abandon, type ClientContext, Connections, clientContext, clientOptions } from './client.ts';
import { PlatformaticConsumer } from './consumer.ts';
import { classify } from './errors.ts';
import { PlatformaticProducer } from './producer.ts';

const RETRIES = 5;
const RETRY_PAUSE_MS = 200;

/** The driver on @platformatic/kafka. */
export class PlatformaticDriver implements KafkaDriver {
  readonly #context: ClientContext;

  constructor(options: ClientOptions) {
    this.#context = clientContext(options);
  }

  async withAdmin<T>(ms: number, task: string, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    const admin = new Admin({ ...clientOptions(this.#context.options), retries: RETRIES, retryDelay: RETRY_PAUSE_MS });
    const connections = new Connections(this.#context.log);
    connections.watch(admin.connections);
    try {
      const refused = connections.refused.then((error) => Promise.reject(error));
      const done = Promise.race([work(new PlatformaticAdmin(admin)), refused]);
      return await withTimeout(ms, done, () => new NoAnswerError(`${task} took longer than ${ms} ms`));
    } catch (error) {
      throw connections.explain(error);
    } finally {
      abandon(admin, connections);
    }
  }

  openProducer(): KafkaProducer {
    return new PlatformaticProducer(this.#context);
  }

  openConsumer(options: KafkaConsumerOptions): KafkaConsumer {
    return new PlatformaticConsumer(this.#context, options);
  }

  classify(error: unknown): KafkaProblem {
    return classify(error);
  }
}
