import { expect, it } from 'vitest';
import { VirtualTime } from '../../../../dev/durability/virtual-time.ts';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { Publisher } from '../../../../src/application/ordering/publisher.ts';
import type { MessageBus } from '../../../../src/application/ports/message-bus.ts';
import type { Outbox } from '../../../../src/application/ports/outbox.ts';
import { roomKey } from '../../../../src/domain/place.ts';
import { numbered, said } from '../../../contracts/world.ts';

/** One event stored each millisecond, forty in all: when each publishing began, and how many records it had. */
async function forty({ alone, stopAt = Infinity }: { alone: boolean; stopAt?: number }): Promise<[number, number][]> {
  const time = new VirtualTime();
  const began = time.now();
  const publishings: [number, number][] = [];
  const publish: MessageBus['publish'] = async (records) => {
    publishings.push([time.now() - began, records.length]);
  };
  const publisher = new Publisher({
    bus: { publish } as unknown as MessageBus,
    outbox: { published: () => {} } as unknown as Outbox,
    clock: time,
    telemetry: new RecordedTelemetry(),
    random: () => 0.5,
    recovered: () => {},
    isAlone: () => alone,
  });
  const place = roomKey(1);
  const talk = async (): Promise<void> => {
    for (let first = 1; first <= Math.min(40, stopAt); first += 1) {
      publisher.stored({ place, first, events: numbered(first, [said(place, 'text')]) });
      await time.sleep(1);
    }
    await publisher.stop();
  };
  await time.run(talk());
  return publishings;
}

it('publishes the first event at once, and those behind it every 4 ms while others listen', async () => {
  const publishings = await forty({ alone: false });
  expect(publishings.slice(0, 3)).toEqual([
    [0, 1],
    [4, 3],
    [8, 4],
  ]);
  expect(publishings.reduce((sum, [, records]) => sum + records, 0)).toBe(40);
});

it('lets more gather while no other server is known', async () => {
  expect(await forty({ alone: true })).toEqual([
    [0, 1],
    [25, 24],
    [50, 15],
  ]);
});

it('publishes what waits before it stops', async () => {
  const publishings = await forty({ alone: true, stopAt: 10 });
  expect(publishings.reduce((sum, [, records]) => sum + records, 0)).toBe(10);
});
