import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message } from '../../dev/events.ts';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import { ServerProcess } from '../../dev/server-process.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { RedisMessageBus, type RedisMessageBusOptions } from '../../examples/redis-message-bus/redis-message-bus.ts';
import { Heard } from '../support/heard.ts';
import { messageBusContract } from './message-bus.ts';

const MAIN = fileURLToPath(new URL('../../examples/redis-message-bus/main.ts', import.meta.url));

await describeWithService('redis', 'the example of a message bus on Redis Streams', ({ redis: url }) => {
  const admin = new Redis(url);
  const prefix = randomUUID();
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await FaultProxy.start({ target: Number(new URL(url).port) });
  });
  afterAll(async () => {
    await admin.del(`${prefix}:records`);
    admin.disconnect();
    await proxy.stop();
  });

  const open = (serverId: string, options: Partial<RedisMessageBusOptions> = {}) =>
    new RedisMessageBus({
      url: `redis://127.0.0.1:${proxy.port}`,
      serverId,
      telemetry: new RecordedTelemetry(),
      prefix,
      leaseMs: 1_000,
      ...options,
    });

  const putGarbage = async () => {
    for (const fields of [
      ['x', 'y'],
      ['stream', 'NO_SUCH_STREAM', 'key', 'r-5', 'value', '{}'],
      ['stream', 'DIRECT', 'key', 'r-5'],
      ['stream', 'DIRECT', 'key', 'r-5', 'value', '\u0000\u0001{', 'seq', '3', 'server', 'another'],
      ['stream', 'STATE', 'key', 'r-5', 'value', '[]'],
    ]) {
      await admin.xadd(`${prefix}:records`, '*', ...fields);
    }
  };

  messageBusContract(() => ({
    open: (serverId) => open(serverId),
    putGarbage,
    tooLargeContent: 1_500_000,
    interrupt: async (_, serverId) => {
      const clients = String(await admin.client('LIST')).split('\n');
      const reader = clients.find((line) => line.includes(`name=${prefix}-${serverId}-reader `));
      await admin.client('KILL', 'ID', /id=(\d+)/.exec(reader ?? '')?.[1] ?? 'the reader is not connected');
    },
    stopBroker: () => proxy.setMode('refuse'),
    startBroker: () => proxy.setMode('pass'),
  }));

  it('counts records that cannot be decoded and logs one of them', async () => {
    const telemetry = new RecordedTelemetry();
    const bus = open('counting', { telemetry });
    const heard = new Heard();
    await bus.start(heard.handler);
    await putGarbage();
    await bus.publish([{ event: message('r-5', 1) }]);
    await heard.count(1);
    expect(telemetry.counts.get('records_skipped')).toBe(5);
    expect(telemetry.logs.filter(({ what }) => what.includes('cannot be decoded'))).toHaveLength(1);
    await bus.close();
  });

  it('rejects publish and is not ready when Redis refuses a record', async () => {
    const bus = open('refused', { prefix: `${prefix}-refused` });
    await bus.start(() => {});
    await admin.set(`${prefix}-refused:records`, 'not a stream');
    await expect(bus.publish([{ event: message('r-5', 1) }])).rejects.toThrow('WRONGTYPE');
    expect(bus.health().ready).toBe(false);
    await bus.close();
    await admin.del(`${prefix}-refused:records`);
  });

  it('settles publish and close in bounded time when Redis hangs', async () => {
    const bus = open('hanging');
    await bus.start(() => {});
    await proxy.setMode('hang');
    const began = performance.now();
    const published = bus.publish([{ event: message('r-5', 1) }]);
    const closed = bus.close();
    await expect(published).rejects.toThrow();
    await closed;
    expect(performance.now() - began).toBeLessThan(5_500);
    await proxy.setMode('pass');
  });

  it('starts a server whose records go through Redis', async () => {
    const server = await ServerProcess.start({
      main: MAIN,
      id: 'example',
      nodeArgs: ['--conditions=chat-server-source'],
      env: { REDIS_BUS_URL: url },
    });
    try {
      const servers = await admin.xrevrange('chat:records', '+', '-');
      expect(servers.map(([, fields]) => fields[fields.indexOf('server') + 1])).toContain('example');
      expect(await server.stop()).toBe('exit code 0');
    } finally {
      await server.dispose();
      await admin.del('chat:records');
    }
  });
});
