import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Authority, type KeyPair } from '../../dev/services/certificates.ts';
import { freePorts } from '../../dev/services/free-port.ts';
import { type RunningKafka, startKafka } from '../../dev/services/kafka.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { loadDriver } from '../../src/adapters/kafka/load-driver.ts';
import { KafkaMessageBus } from '../../src/adapters/kafka/message-bus.ts';
import { readConfig } from '../../src/bootstrap/config/read-config.ts';
import { startFailure } from '../../src/bootstrap/start-failure.ts';

const PASSWORD = 'a-password-that-nobody-sees';
const STARTS_IN = 60_000;

await describeWithOwnService('kafka', 'with a Kafka that has TLS and SASL', () => {
  let folder: string;
  let authority: Authority;
  let stranger: Authority;
  let own: KeyPair;
  let kafka: RunningKafka;
  let ports: { readonly sasl: number; readonly mutual: number; readonly expired: number; readonly named: number };

  /** The settings of a listener with the certificate of `pair`. */
  function listenerConfig(name: string, pair: KeyPair): Record<string, string> {
    const at = `listener.name.${name}.ssl`;
    return {
      [`${at}.keystore.type`]: 'PEM',
      [`${at}.keystore.location`]: pair.bothPath,
      [`${at}.truststore.type`]: 'PEM',
      [`${at}.truststore.location`]: authority.pair.certPath,
    };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-test-kafka-tls-'));
    [authority, stranger] = await Promise.all([Authority.create(folder), Authority.create(folder, 'stranger')]);
    const [sasl = 0, mutual = 0, expired = 0, named = 0] = await freePorts(4);
    ports = { sasl, mutual, expired, named };
    const good = await authority.issue('good', 'IP:127.0.0.1');
    own = await authority.issue('client', 'DNS:client');
    const login = `username="chat" password="${PASSWORD}"`;
    const jaas = (module: string, text: string): string =>
      `org.apache.kafka.common.security.${module} required ${text};`;
    kafka = await startKafka({
      own: true,
      heapMb: 320,
      listeners: [
        { name: 'SECURE', protocol: 'SASL_SSL', port: sasl },
        { name: 'MUTUAL', protocol: 'SSL', port: mutual },
        { name: 'EXPIRED', protocol: 'SSL', port: expired },
        { name: 'NAMED', protocol: 'SSL', port: named },
      ],
      format: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=chat,password=${PASSWORD}]`,
      ]),
      config: {
        ...listenerConfig('secure', good),
        ...listenerConfig('mutual', good),
        ...listenerConfig('expired', await authority.issue('expired', 'IP:127.0.0.1', { isExpired: true })),
        ...listenerConfig('named', await authority.issue('named', 'DNS:kafka.internal')),
        'listener.name.mutual.ssl.client.auth': 'required',
        'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'listener.name.secure.plain.sasl.jaas.config': jaas('plain.PlainLoginModule', `user_chat="${PASSWORD}"`),
        'listener.name.secure.scram-sha-256.sasl.jaas.config': jaas('scram.ScramLoginModule', login),
        'listener.name.secure.scram-sha-512.sasl.jaas.config': jaas('scram.ScramLoginModule', login),
      },
    });
  }, STARTS_IN);

  afterAll(async () => {
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A bus of these variables, read as the server reads them. */
  async function busOf(env: Record<string, string>): Promise<KafkaMessageBus> {
    const { bus } = readConfig({
      JWT_SECRET: Buffer.alloc(32, 1).toString('base64'),
      MONGODB_URL: 'mongodb://not-used',
      ...env,
    }).config;
    if (bus.kind !== 'kafka') throw new Error('the variables choose no Kafka');
    const telemetry = { log: () => {}, count: () => {}, observe: () => {}, gauge: () => {} };
    const openDriver = await loadDriver(bus.client);
    const options = { serverId: randomUUID().slice(0, 8), telemetry, openDriver, partitions: 1 };
    const opened = new KafkaMessageBus({ ...bus, ...bus.security.reveal(), ...options });
    onTestFinished(() => opened.close({ forget: true }));
    return opened;
  }

  const at = (port: number, more: Record<string, string> = {}): Record<string, string> => ({
    KAFKA_BROKERS: `127.0.0.1:${port}`,
    KAFKA_TLS: 'on',
    KAFKA_TLS_CA: authority.pair.certPath,
    ...more,
  });
  const login = (mechanism: string, more: Record<string, string> = {}): Record<string, string> =>
    at(ports.sasl, { KAFKA_SASL: mechanism, KAFKA_SASL_USER: 'chat', KAFKA_SASL_PASSWORD: PASSWORD, ...more });

  /** Starts a bus; the message with which the start of a server would end, or `started`. */
  async function outcome(client: string, env: Record<string, string>): Promise<string> {
    try {
      const bus = await busOf({ ...env, KAFKA_CLIENT: client });
      await bus.start(() => {});
      return 'started';
    } catch (error) {
      return startFailure({ variable: 'KAFKA_BROKERS' }, error).message;
    }
  }

  describe.each(['kafkajs', 'platformatic'])('on the client %s', (client) => {
    it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
      'joins with SASL %s over TLS',
      async (mechanism) => {
        expect(await outcome(client, login(mechanism))).toBe('started');
      },
      STARTS_IN,
    );

    it(
      'joins with a client certificate',
      async () => {
        const pair = { KAFKA_TLS_CERT: own.certPath, KAFKA_TLS_KEY: own.key };
        expect(await outcome(client, at(ports.mutual, pair))).toBe('started');
      },
      STARTS_IN,
    );

    it(
      'joins where the certificate has another name, if KAFKA_TLS_SERVER_NAME is that name',
      async () => {
        expect(await outcome(client, at(ports.named, { KAFKA_TLS_SERVER_NAME: 'kafka.internal' }))).toBe('started');
      },
      STARTS_IN,
    );

    describe('names the variable that is wrong', () => {
      it.each<[string, () => Record<string, string>, string]>([
        [
          'a wrong password for PLAIN',
          () => login('plain', { KAFKA_SASL_PASSWORD: 'x' }),
          'KAFKA_SASL_PASSWORD: the broker refuses the user or the password',
        ],
        [
          'a wrong password for SCRAM',
          () => login('scram-sha-512', { KAFKA_SASL_PASSWORD: 'x' }),
          'KAFKA_SASL_PASSWORD: the broker refuses the user or the password',
        ],
        [
          'an unknown user',
          () => login('scram-sha-256', { KAFKA_SASL_USER: 'x' }),
          'KAFKA_SASL_PASSWORD: the broker refuses the user or the password',
        ],
        [
          'an unknown authority',
          () => login('plain', { KAFKA_TLS_CA: stranger.pair.certPath }),
          'KAFKA_TLS_CA: an unknown authority has signed the certificate',
        ],
        ['an expired certificate', () => at(ports.expired), 'KAFKA_TLS_CA: the certificate has expired'],
        ['another name', () => at(ports.named), 'KAFKA_TLS_SERVER_NAME: the certificate is for another name'],
        [
          'no client certificate',
          () => at(ports.mutual),
          'KAFKA_TLS_CERT: the peer refuses our certificate, or asks for one',
        ],
      ])(
        '%s',
        async (_, env, expected) => {
          const message = await outcome(client, env());
          expect(message).toBe(expected);
          expect(message).not.toContain(PASSWORD);
        },
        STARTS_IN,
      );
    });
  });
});
