import { loadDriver } from '../../src/adapters/kafka/load-driver.ts';
import { kafkaBusSuites } from './kafka-bus-suites.ts';

await kafkaBusSuites('kafkajs', await loadDriver('kafkajs'));
