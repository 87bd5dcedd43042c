/**
 * kafkajs for programs and tests that talk to Kafka themselves. Import it from here, so that its
 * negative timers, for which Node 24 prints a warning, are replaced in that process too.
 */
import kafkajs from 'kafkajs';
import { quietRequestTimers } from '../../src/adapters/kafka/kafkajs/request-timers.ts';

export {
  type AclOperationTypes as AclOperationType,
  CompressionTypes,
  type IHeaders,
  Kafka,
  type KafkaConfig,
  logLevel,
  Partitioners,
  type Producer,
} from 'kafkajs';

// Node does not see these names in a CommonJS module.
export const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } =
  kafkajs;

quietRequestTimers();
