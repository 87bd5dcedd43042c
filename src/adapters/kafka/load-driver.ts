import type { ClientOptions, KafkaDriver } from './driver.ts';

/** The client libraries of Kafka. */
export type KafkaClient = 'kafkajs' | 'platformatic';

export type OpenDriver = (options: ClientOptions) => KafkaDriver;

/**
 * Loads the driver of one client library. The other library is not loaded: each takes memory and
 * time at the start.
 */
export async function loadDriver(client: KafkaClient): Promise<OpenDriver> {
  switch (client) {
    case 'kafkajs': {
      const { KafkaJsDriver } = await import('./kafkajs/driver.ts');
      return (options) => new KafkaJsDriver(options);
    }
    case 'platformatic': {
      const { PlatformaticDriver } = await import('./platformatic/driver.ts');
      return (options) => new PlatformaticDriver(options);
    }
  }
}
