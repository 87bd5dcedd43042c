import { expect, it } from 'vitest';
import { typing } from '../../../dev/events.ts';
import { MemoryMessageBus } from '../../../src/adapters/memory/message-bus.ts';
import { ReceivedRecord } from '../../../src/adapters/records/received-record.ts';
import type { IncomingRecord } from '../../../src/application/ports/message-bus.ts';
import type { ChatEvent } from '../../../src/domain/chat-event.ts';
import type { PlaceKey } from '../../../src/domain/place.ts';
import { said } from '../../contracts/world.ts';
import { startApplication } from '../../support/application.ts';

/** An application whose bus gives its handler to the test. */
async function setUp() {
  let handle: (record: IncomingRecord) => void = () => {};
  const { world, ...server } = await startApplication();
  const bus = new MemoryMessageBus(world.broker, 'server-2');
  const start = bus.start.bind(bus);
  bus.start = (handler) => {
    handle = handler;
    return start(handler);
  };
  const listening = await world.server({ id: 'server-2', ports: { bus } });
  return { world, first: server, server: listening, handle: (record: IncomingRecord) => handle(record) };
}

function record(event: ChatEvent, given: Partial<IncomingRecord> = {}): IncomingRecord & { readonly decoded: number } {
  const state = { decoded: 0 };
  return {
    key: null,
    server: 'server-9',
    seq: null,
    batchEnd: null,
    isForServers: false,
    read: () => {
      state.decoded += 1;
      return event;
    },
    ...given,
    get decoded() {
      return state.decoded;
    },
  };
}

it('does not decode a record for a place without a subscriber here', async () => {
  const { world, handle } = await setUp();
  const unheard = record(typing(world.room, 'Ada'), { key: world.room });
  handle(unheard);
  const numbered = record({ ...said(world.room, 'hello'), seq: 1 }, { key: world.room, seq: 1, batchEnd: 1 });
  handle(numbered);
  expect([unheard.decoded, numbered.decoded]).toEqual([0, 0]);
});

it('hands a typing notice of another server to the subscribers of its place', async () => {
  const { world, server, handle } = await setUp();
  const subscriber = await server.subscribe(world.ada, world.room);
  handle(record(typing(world.room, 'Grace'), { key: world.room }));
  expect(subscriber.heard).toEqual([typing(world.room, 'Grace')]);
});

it('ignores the content of records that this server wrote itself', async () => {
  const { world, server, handle } = await setUp();
  const subscriber = await server.subscribe(world.ada, world.room);
  handle(record(typing(world.room, 'Grace'), { key: world.room, server: 'server-2' }));
  expect(subscriber.heard).toEqual([]);
});

it('reads the event from the store when the number in the record and in its header differ', async () => {
  const { world, first, server, handle } = await setUp();
  const subscriber = await server.subscribe(world.ada, world.room);
  world.broker.hold('server-2');
  const input = { roomId: world.roomId, name: null, profileImage: null, content: 'true text', nonce: null };
  await (await first.app.sendDirectMessage(world.ada, input)).result;
  handle(record({ ...said(world.room, 'forged'), seq: 7 }, { key: world.room, seq: 1, batchEnd: 1 }));
  expect(subscriber.heard).toEqual([]);
  world.clock.pass(200);
  await subscriber.hears(1);
  expect(subscriber.heard).toMatchObject([{ seq: 1, content: 'true text' }]);
});

it('delivers the next event without a wait after a numbered record of an unknown type', async () => {
  const { world, server, handle } = await setUp();
  const subscriber = await server.subscribe(world.ada, world.room);
  const headers = { server: 'server-9', seq: '1', batch: '1' };
  const newer = { key: world.room, headers, value: '{"type":"reaction"}', timestamp: 0 };
  handle(new ReceivedRecord(newer, { stream: 'DIRECT_ETC', skipped: () => {} }));
  handle(record({ ...said(world.room, 'hello'), seq: 2 }, { key: world.room, seq: 2, batchEnd: 2 }));
  expect(subscriber.heard).toMatchObject([{ seq: 2, content: 'hello' }]);
});

it('continues after a record that decodes to nothing, to an unknown kind or to an error', async () => {
  const { world, server, handle } = await setUp();
  const subscriber = await server.subscribe(world.ada, world.room);
  const place: PlaceKey = world.room;
  handle(record({ kind: 'unknown', place, seq: 3 }, { key: place }));
  handle({ ...record(typing(place, 'x'), { key: place }), read: () => null });
  handle({
    ...record(typing(place, 'x'), { key: place }),
    read: () => {
      throw new Error('broken');
    },
  });
  handle(record(typing(place, 'Grace'), { key: place }));
  expect(subscriber.heard).toEqual([typing(place, 'Grace')]);
  expect(server.telemetry.logs.filter(({ level }) => level === 'error')).toHaveLength(1);
});

it('ends the subscription of a member whom another server reports as removed', async () => {
  const { world, server, handle } = await setUp();
  const subscriber = await server.subscribe(world.grace, world.room);
  const members = [world.ada.userId];
  handle(record({ kind: 'members-changed', place: world.room, members }, { key: world.room, isForServers: true }));
  expect(subscriber.isRemoved).toBe(true);
});
