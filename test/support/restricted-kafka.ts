import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import { freePorts } from '../../dev/services/free-port.ts';
import { startKafka } from '../../dev/services/kafka.ts';
import {
  type AclOperationType,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from '../../dev/services/kafkajs.ts';
import { type KafkaClient, loadDriver } from '../../src/adapters/kafka/load-driver.ts';
import { KafkaMessageBus } from '../../src/adapters/kafka/message-bus.ts';
import { DEFAULT_TOPICS, type NamePerStream } from '../../src/adapters/kafka/topics.ts';

const PASSWORD = 'a-password-that-nobody-sees';
const TIMING = { session: 3_000, heartbeat: 500, silence: 6_000, commit: 500 };
const { CREATE, DELETE, DESCRIBE, READ, WRITE } = AclOperationTypes;
export const KAFKA_CLIENTS: readonly KafkaClient[] = ['kafkajs', 'platformatic'];

interface Rights {
  readonly topic: readonly AclOperationType[];
  readonly group: readonly AclOperationType[];
}

/** The rights that docs/how-to/secure-connections.md lists. */
const ALL: Rights = { topic: [DESCRIBE, READ, WRITE, CREATE], group: [DESCRIBE, READ, DELETE] };

/** The rights of each user. Each user of each client has topics and groups of its own. */
const USERS = {
  complete: ALL,
  nocreate: { ...ALL, topic: [DESCRIBE, READ, WRITE] },
  notopicread: { ...ALL, topic: [DESCRIBE, WRITE, CREATE] },
  nowrite: { ...ALL, topic: [DESCRIBE, READ, CREATE] },
  nogroup: { ...ALL, group: [] },
  nogroupread: { ...ALL, group: [DESCRIBE, DELETE] },
  nogroupdelete: { ...ALL, group: [DESCRIBE, READ] },
} as const satisfies Readonly<Record<string, Rights>>;

export type RestrictedUser = keyof typeof USERS;

/** A Kafka whose users may do no more than their rights say. */
export interface RestrictedKafka {
  /** Brokers of a listener without restrictions. */
  readonly brokers: readonly string[];
  open(client: KafkaClient, user: RestrictedUser, serverId: string, telemetry?: RecordedTelemetry): KafkaMessageBus;
  stop(): Promise<void>;
}

/** @throws ServiceUnavailable */
export async function startRestrictedKafka(): Promise<RestrictedKafka> {
  const drivers = { kafkajs: await loadDriver('kafkajs'), platformatic: await loadDriver('platformatic') };
  const [port = 0] = await freePorts(1);
  const names = Object.keys(USERS).flatMap((user) => KAFKA_CLIENTS.map((client) => `${user}-${client}`));
  const logins = names.map((name) => `user_${name}="${PASSWORD}"`).join(' ');
  const kafka = await startKafka({
    own: true,
    heapMb: 320,
    listeners: [{ name: 'LOGIN', protocol: 'SASL_PLAINTEXT', port }],
    config: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // The broker itself, and the administrator of the tests.
      'super.users': 'User:ANONYMOUS',
      'listener.name.login.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.login.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${logins};`,
    },
  });
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const acl = Object.entries(USERS).flatMap(([user, rights]) =>
    KAFKA_CLIENTS.flatMap((client) => aclsOf(`${user}-${client}`, rights)),
  );
  await admin.createAcls({ acl });
  await admin.disconnect();
  return {
    brokers: kafka.brokers,
    stop: () => kafka.stop(),
    open(client, user, serverId, telemetry = new RecordedTelemetry()) {
      const username = `${user}-${client}`;
      const ownNames = namesOf(user, client);
      return new KafkaMessageBus({
        brokers: [`127.0.0.1:${port}`],
        serverId,
        telemetry,
        topics: ownNames,
        groups: ownNames,
        partitions: 2,
        timing: TIMING,
        sasl: { mechanism: 'plain', username, password: PASSWORD },
        openDriver: drivers[client],
      });
    },
  };
}

/** Names of the topics, and of the groups, of this user. */
export function namesOf(user: RestrictedUser, client: KafkaClient): NamePerStream {
  const names = Object.keys(DEFAULT_TOPICS).map((stream) => [
    stream,
    `${user}-${client}-${stream.toLowerCase().replace('_', '-')}`,
  ]);
  return { ...DEFAULT_TOPICS, ...Object.fromEntries(names) };
}

function aclsOf(username: string, { topic, group }: Rights) {
  const [user, client] = username.split('-') as [RestrictedUser, KafkaClient];
  const entries = Object.values(namesOf(user, client)).flatMap((name) => [
    ...topic.map((operation) => ({
      operation,
      resourceType: AclResourceTypes.TOPIC,
      resourceName: name,
      resourcePatternType: ResourcePatternTypes.LITERAL,
    })),
    ...group.map((operation) => ({
      operation,
      resourceType: AclResourceTypes.GROUP,
      resourceName: `${name}-`,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
    })),
  ]);
  return entries.map((entry) => ({
    ...entry,
    principal: `User:${username}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
  }));
}
