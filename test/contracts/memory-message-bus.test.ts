import { beforeEach, describe, expect, it } from 'vitest';
import { message, typing } from '../../dev/events.ts';
import { MemoryBroker, seededRandom } from '../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../src/adapters/memory/message-bus.ts';
import { Heard } from '../support/heard.ts';
import { messageBusContract } from './message-bus.ts';

let broker = new MemoryBroker();
beforeEach(() => {
  broker = new MemoryBroker();
});

messageBusContract(
  () => ({
    open: (serverId) => new MemoryMessageBus(broker, serverId),
    stopBroker: async () => broker.stop(),
    startBroker: async () => broker.restart(),
  }),
  {
    cannotHoldGarbage: 'events are handed on by reference, and no other program can write',
    hasNoLargestRecord: 'events are handed on by reference',
    losesWhileDisconnected: 'there is no connection that could be lost',
  },
);

async function two(): Promise<{ one: MemoryMessageBus; two: MemoryMessageBus; first: Heard; second: Heard }> {
  const [one, two] = [new MemoryMessageBus(broker, 'one'), new MemoryMessageBus(broker, 'two')];
  const [first, second] = [new Heard(), new Heard()];
  await one.start(first.handler);
  await two.start(second.handler);
  return { one, two, first, second };
}

const hundred = Array.from({ length: 100 }, (_, i) => ({ event: message('r-5', i + 1) }));

describe('the memory broker', () => {
  it('a held server receives nothing until it is released, and the others are not delayed', async () => {
    const { one, first, second } = await two();
    broker.hold('two');
    await one.publish(hundred);
    await first.count(100);
    expect(second.records).toEqual([]);
    broker.release('two');
    await second.count(100);
  });

  it('a stopped broker accepts no record, and works again after its restart', async () => {
    const { one, second } = await two();
    broker.stop();
    await expect(one.publish(hundred)).rejects.toThrow('down');
    expect(one.health().ready).toBe(false);
    broker.restart();
    await one.publish(hundred);
    await second.count(100);
    expect(second.records).toHaveLength(100);
  });

  it('the broker drops and repeats records with the given probability', async () => {
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

  it('delays change the order between kinds, but not within one key and kind', async () => {
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
