import { expect, it } from 'vitest';
import { MemoryMessageBus } from '../../../src/adapters/memory/message-bus.ts';
import { EventRecord } from '../../../src/adapters/records/event-record.ts';
import type { OutgoingRecord, RecordHandler } from '../../../src/application/ports/message-bus.ts';
import type { SiblingWorkers } from '../../../src/application/ports/sibling-workers.ts';
import { completed, type TestServer, TestWorld } from '../../support/application.ts';

/** Takes records from worker to worker in one process, at once. */
class DirectSiblings {
  readonly #handlers = new Map<string, RecordHandler>();
  /** Server ids that no record reaches. */
  readonly cutOff = new Set<string>();

  of(server: string): SiblingWorkers {
    const others = (): (readonly [string, RecordHandler])[] =>
      [...this.#handlers].filter(([other]) => other !== server && !this.cutOff.has(other));
    return {
      listen: (handler) => void this.#handlers.set(server, handler),
      send: (records) => {
        for (const [, handler] of others()) {
          for (const { event, batchEnd } of records) handler(new EventRecord(event, server, batchEnd ?? null));
        }
      },
      reaches: (other) => others().some(([name]) => name === other),
    };
  }
}

/** Two workers of one machine that know each other, and the numbers that each of them publishes. */
async function twoWorkers() {
  const world = await TestWorld.open();
  const siblings = new DirectSiblings();
  const cutOffFromBus = new Set<string>();
  const start = async (id: string) => {
    const published: number[] = [];
    const bus = new MemoryMessageBus(world.broker, id);
    const publish = bus.publish.bind(bus);
    bus.publish = (records: readonly OutgoingRecord[]) => {
      const numbers = records.flatMap(({ event }) => (event.kind === 'message' ? [event.seq] : []));
      if (numbers.length > 0 && cutOffFromBus.has(id)) return Promise.reject(new Error('the bus is away'));
      published.push(...numbers);
      return publish(records);
    };
    return { published, ...(await world.server({ id, ports: { bus, siblings: siblings.of(id) } })) };
  };
  const [one, two] = [await start('one'), await start('two')];
  const servers = () => {
    world.clock.pass(200);
    return [one, two].map(({ app }) => app.figures().servers);
  };
  await expect.poll(servers).toEqual([2, 2]);
  const send = ({ app }: TestServer, content: string) =>
    completed(() =>
      app.sendDirectMessage(world.ada, { roomId: world.roomId, name: null, profileImage: null, nonce: null, content }),
    );
  return { world, siblings, cutOffFromBus, one, two, send };
}

it('delivers an event at another worker of the machine while the bus is away, and once when it is back', async () => {
  const { world, one, two, send } = await twoWorkers();
  const subscriber = await two.subscribe(world.grace, world.room);
  world.broker.hold('two');
  await send(one, 'first');
  await send(two, 'second');
  expect(subscriber.heard).toMatchObject([
    { seq: 1, content: 'first' },
    { seq: 2, content: 'second' },
  ]);
  world.broker.release('two');
  await send(one, 'third');
  await expect.poll(() => subscriber.heard).toHaveLength(3);
});

it('gathers events for the bus for 25 ms only while all other live servers get them past the bus', async () => {
  const { world, siblings, one, send } = await twoWorkers();
  await send(one, 'first');
  await expect.poll(() => one.published).toEqual([1]);
  await send(one, 'second');
  world.clock.pass(24);
  await new Promise((resolve) => setImmediate(resolve));
  expect(one.published).toEqual([1]);
  world.clock.pass(1);
  await expect.poll(() => one.published).toEqual([1, 2]);
  siblings.cutOff.add('two');
  await send(one, 'third');
  world.clock.pass(4);
  await expect.poll(() => one.published).toEqual([1, 2, 3]);
});

it('publishes an event that only a worker of the machine has sent, since it is not on the bus', async () => {
  const { world, cutOffFromBus, one, two, send } = await twoWorkers();
  cutOffFromBus.add('one');
  const subscriber = await two.subscribe(world.grace, world.room);
  await send(one, 'first');
  expect(subscriber.heard).toMatchObject([{ seq: 1, content: 'first' }]);
  const published = () => {
    world.clock.pass(100);
    return two.published;
  };
  await expect.poll(published, { timeout: 10_000, interval: 10 }).toEqual([1]);
  expect(subscriber.heard).toHaveLength(1);
});
