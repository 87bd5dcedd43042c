import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Lists the packages of Kafka that a new process loads when it prepares a bus of this client. */
const LIST = `
  import { registerHooks } from 'node:module';
  const found = new Set();
  registerHooks({
    load(url, context, next) {
      const name = /node_modules\\/(kafkajs|@platformatic\\/kafka)\\//.exec(url)?.[1];
      if (name !== undefined) found.add(name);
      return next(url, context);
    },
  });
  const { readConfig } = await import('./src/bootstrap/config/read-config.ts');
  const { loadOptionalAdapters } = await import('./src/bootstrap/optional-adapters.ts');
  const { config } = readConfig({
    JWT_SECRET: Buffer.alloc(32, 1).toString('base64'),
    MONGODB_URL: 'mongodb://not-used',
    KAFKA_BROKERS: 'not-used:9092',
    KAFKA_CLIENT: process.argv[1],
  });
  const { createBus } = await loadOptionalAdapters(config, null);
  const nothing = () => {};
  const telemetry = () => ({ log: nothing, count: nothing, observe: nothing, gauge: nothing });
  createBus({ serverId: 'a', telemetry, metrics: { read: nothing }, lagFrom: nothing, onRefused: nothing });
  console.log([...found].join());
`;

it.each([
  ['kafkajs', 'kafkajs'],
  ['platformatic', '@platformatic/kafka'],
])('loads with KAFKA_CLIENT=%s no other client library of Kafka', (client, expected) => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', LIST, client], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(`${stdout}${stderr}`.trim()).toBe(expected);
});
