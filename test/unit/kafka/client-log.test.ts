import { createServer } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { clientLog } from '../../../src/adapters/kafka/client-log.ts';
import { type KafkaClient, loadDriver } from '../../../src/adapters/kafka/load-driver.ts';

it('logs a message of a client library once in ten seconds', () => {
  vi.useFakeTimers();
  try {
    const telemetry = new RecordedTelemetry();
    const log = clientLog(telemetry);
    for (let count = 0; count < 50; count += 1) {
      log({ component: 'connection', message: 'lost', broker: 'k1:9092' });
      vi.advanceTimersByTime(250);
    }
    log({ component: 'heartbeat', message: 'lost' });
    const lost = ['warn', 'kafka client', { component: 'connection', message: 'lost', broker: 'k1:9092' }];
    const logged = telemetry.logs.map(({ level, what, fields }) => [level, what, fields]);
    expect(logged).toEqual([lost, lost, ['warn', 'kafka client', { component: 'heartbeat', message: 'lost' }]]);
  } finally {
    vi.useRealTimers();
  }
});

it.each<KafkaClient>(['kafkajs', 'platformatic'])('logs a lost connection of %s, and no line twice', async (client) => {
  // The time of the log stands still, however slow the machine is.
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const broker = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const telemetry = new RecordedTelemetry();
  const open = await loadDriver(client);
  const driver = open({ brokers: [broker], clientId: 'a', telemetry, tls: null, sasl: null, compression: 'none' });
  for (let count = 0; count < 2; count += 1) {
    await expect(driver.withAdmin(5_000, 'asking', (admin) => admin.listTopics())).rejects.toThrow();
  }
  server.close();
  const lines = telemetry.logs.map(({ fields }) => `${fields?.component} ${fields?.message}`);
  expect(new Set(lines).size).toBe(lines.length);
  expect(JSON.stringify(telemetry.logs)).toContain(broker);
});
