import { expect, it } from 'vitest';
import { typing } from '../../../dev/events.ts';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { MemoryBroker } from '../../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../../src/adapters/memory/message-bus.ts';
import { Broadcast } from '../../../src/application/broadcast.ts';
import type { IncomingRecord } from '../../../src/application/ports/message-bus.ts';

it('brings events to every server', async () => {
  const broker = new MemoryBroker();
  const heard: (string | undefined)[] = [];
  const all = Promise.withResolvers<void>();
  const bus = new MemoryMessageBus(broker, 'one');
  for (const each of [bus, new MemoryMessageBus(broker, 'other')]) {
    await each.start((record: IncomingRecord) => {
      heard.push(record.read()?.kind);
      if (heard.length === 2) all.resolve();
    });
  }
  await new Broadcast({ bus, telemetry: new RecordedTelemetry() }).send(typing('r-5', 'Ada'));
  await all.promise;
  expect(heard).toEqual(['typing', 'typing']);
});

it('does not reject when the bus is away', async () => {
  const broker = new MemoryBroker();
  const bus = new MemoryMessageBus(broker, 'one');
  await bus.start(() => {});
  broker.stop();
  const telemetry = new RecordedTelemetry();
  await expect(new Broadcast({ bus, telemetry }).send(typing('r-5', 'Ada'))).resolves.toBeUndefined();
  expect(telemetry.logs).toMatchObject([{ level: 'debug', fields: { kind: 'typing' } }]);
});
