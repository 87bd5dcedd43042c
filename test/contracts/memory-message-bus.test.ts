import { beforeEach, describe, expect, test } from 'vitest';
import { message, typing } from '../../dev/events.ts';
import { MemoryBroker, seededRandom } from '../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../src/adapters/memory/message-bus.ts';
import { Heard } from '../support/heard.ts';
import { messageBusContract } from './message-bus.ts';

let broker = new MemoryBroker();
beforeEach(() => {
  broker = new MemoryBroker();
});

messageBusContract(() => ({ open: (serverId) => new MemoryMessageBus(broker, serverId) }));

async function two(): Promise<{ one: MemoryMessageBus; two: MemoryMessageBus; first: Heard; second: Heard }> {
  const [one, two] = [new MemoryMessageBus(broker, 'one'), new MemoryMessageBus(broker, 'two')];
  const [first, second] = [new Heard(), new Heard()];
  await one.start(first.handler);
  await two.start(second.handler);
  return { one, two, first, second };
}

const hundred = Array.from({ length: 100 }, (_, i) => ({ event: message('r-5', i + 1) }));

describe('faults of the memory broker', () => {
  test('a held server waits, the others do not', async () => {
    const { one, first, second } = await two();
    broker.hold('two');
    await one.publish(hundred);
    await first.count(100);
    expect(second.records).toEqual([]);
    broker.release('two');
    await second.count(100);
  });

  test('a stopped broker takes nothing, and works again afterwards', async () => {
    const { one, second } = await two();
    broker.stop();
    await expect(one.publish(hundred)).rejects.toThrow('down');
    expect(one.health().ready).toBe(false);
    broker.restart();
    await one.publish(hundred);
    await second.count(100);
    expect(second.records).toHaveLength(100);
  });

  test('drops and duplicates as often as told, the same for the same seed', async () => {
    const { one, first } = await two();
    broker.faults = { drop: 0.2, duplicate: 0.2, random: seededRandom(7) };
    await one.publish(hundred);
    broker.faults = {};
    await one.publish([{ event: message('r-6', 1) }]);
    const events = await first.until((all) => all.some((event) => 'place' in event && event.place === 'r-6'));
    const seqs = events.flatMap((event) => (event.kind === 'message' && event.place === 'r-5' ? event.seq : []));
    expect(new Set(seqs).size).toBeLessThan(95);
    expect(new Set(seqs).size).toBeGreaterThan(65);
  });

  test('delays let kinds overtake each other, and nothing within one key and kind', async () => {
    const { one, first } = await two();
    broker.faults = { delay: 0.5, random: seededRandom(7) };
    for (const { event } of hundred) await one.publish([{ event }, { event: typing('r-5', String(event.seq)) }]);
    const events = await first.count(200);
    const seqs = events.flatMap((event) => (event.kind === 'message' ? event.seq : []));
    const typed = events.flatMap((event) => (event.kind === 'typing' ? Number(event.name) : []));
    const inOrder = hundred.map(({ event }) => event.seq);
    expect(seqs).toEqual(inOrder);
    expect(typed).toEqual(inOrder);
    expect(events.map((event) => event.kind)).not.toEqual(hundred.flatMap(() => ['message', 'typing']));
  });
});
