import { kafkaBusSuites } from './kafka-bus-suites.ts';

await kafkaBusSuites('kafkajs', {});
