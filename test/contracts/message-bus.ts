import { afterEach, describe, expect, test } from 'vitest';
import { message, oneOfEach, typing } from '../../dev/events.ts';
import type { MessageBus, OutgoingRecord } from '../../src/application/ports/message-bus.ts';
import type { ChatEvent } from '../../src/domain/chat-event.ts';
import { Heard } from '../support/heard.ts';

/** A broker with nothing on it that a suite could not bear, and buses of it. */
export interface MessageBusHarness {
  open(serverId: string): MessageBus;
}

let servers = 0;

/** What every message bus does. `harness` is called once a test. */
export function messageBusContract(harness: () => MessageBusHarness): void {
  const opened: MessageBus[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close({ forget: true })));
  });

  const open = (serverId = nextServer()): MessageBus => {
    const bus = harness().open(serverId);
    opened.push(bus);
    return bus;
  };

  async function started(serverId = nextServer()): Promise<{ bus: MessageBus; heard: Heard; serverId: string }> {
    const bus = open(serverId);
    const heard = new Heard();
    await bus.start(heard.handler);
    return { bus, heard, serverId };
  }

  describe('message bus', () => {
    test('three servers each hear every record of all three', async () => {
      const all = await Promise.all([started(), started(), started()]);
      const sent = all.flatMap((_, server) => [1, 2, 3, 4].map((n) => message(`r-${1 + server}`, n)));
      await Promise.all(sent.map((event, i) => (all[i % 3] as (typeof all)[0]).bus.publish([{ event }])));
      for (const { heard } of all) {
        const events = await heard.count(sent.length);
        expect(ids(events)).toEqual(ids(sent));
      }
    });

    test('what is written right after start is heard, and what was written before is not', async () => {
      const first = await started();
      await first.bus.publish([{ event: message('r-5', 1) }]);
      const late = await started();
      await first.bus.publish([
        { event: message('r-5', 2) },
        { event: message('c-5', 2) },
        { event: typing('r-6', 'x') },
      ]);
      await late.heard.count(3);
      await first.heard.count(4);
      expect(late.heard.events().filter((event) => event.kind === 'message' && event.seq === 1)).toEqual([]);
    });

    test('a server that starts again under its id hears what is written from then on', async () => {
      const other = await started();
      const before = await started();
      await other.bus.publish([{ event: message('r-5', 1) }]);
      await before.heard.count(1);
      await before.bus.close();
      await other.bus.publish([{ event: message('r-5', 2) }]);
      const after = await started(before.serverId);
      await other.bus.publish([{ event: message('r-5', 3) }]);
      const events = await after.heard.count(1);
      expect(events).toEqual([message('r-5', 3)]);
      expect(before.heard.records).toHaveLength(1);
    });

    test('records of one key and kind keep the order in which one server published them', async () => {
      const [one, two] = await Promise.all([started(), started()]);
      const places = ['r-1', 'r-2', 'c-1', 'c-2', 'r-3'] as const;
      const published: Promise<void>[] = [];
      for (let seq = 1; seq <= 60; seq += 1) {
        for (const place of places) published.push(one.bus.publish([{ event: message(place, seq) }]));
        if (seq % 20 === 0) await Promise.all(published);
      }
      await Promise.all(published);
      const events = await two.heard.count(300);
      for (const place of places) {
        const seqs = events.flatMap((event) => (event.kind === 'message' && event.place === place ? event.seq : []));
        expect(seqs).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
      }
    });

    test('every kind of event arrives as it was', async () => {
      const { bus, heard } = await started();
      const sent = oneOfEach();
      await bus.publish(sent.map((event) => ({ event })));
      const events = await heard.count(sent.length);
      expect(sorted(events)).toEqual(sorted(sent));
    });

    test('key, writer and numbers are at hand before the event is read', async () => {
      const { bus, heard, serverId } = await started();
      const records: OutgoingRecord[] = [
        { event: message('c-11', 4), batchEnd: 5 },
        { event: typing('r-5', 'Ada'), batchEnd: 9 },
        { event: { kind: 'connect', userId: 3, places: [] } },
        { event: { kind: 'voice', communityId: 1, state: {} } },
      ];
      for (const record of records) await bus.publish([record]);
      await heard.count(4);
      const seen = heard.records.map(({ key, server, seq, batchEnd }) => ({ key, server, seq, batchEnd }));
      expect(sorted(seen)).toEqual(
        sorted([
          { key: 'c-11', server: serverId, seq: 4, batchEnd: 5 },
          { key: 'r-5', server: serverId, seq: null, batchEnd: null },
          { key: 'u-3', server: serverId, seq: null, batchEnd: null },
          { key: 'com-1', server: serverId, seq: null, batchEnd: null },
        ]),
      );
    });

    test('a record is decoded once', async () => {
      const { bus, heard } = await started();
      await bus.publish([{ event: message('r-5', 1) }]);
      await heard.count(1);
      expect(heard.records[0]?.read()).toBe(heard.records[0]?.read());
    });

    test('a handler that throws loses nothing but that record', async () => {
      const bus = open();
      const heard = new Heard();
      await bus.start((record) => {
        if (record.seq === 2) throw new Error('a defect');
        heard.handler(record);
      });
      for (const seq of [1, 2, 3]) await bus.publish([{ event: message('r-5', seq) }]);
      const events = await heard.count(2);
      expect(ids(events)).toEqual(ids([message('r-5', 1), message('r-5', 3)]));
    });

    test('a second live server of the same id is refused, and the first is not troubled', async () => {
      const first = await started();
      const second = open(first.serverId);
      await expect(second.start(() => {})).rejects.toThrow(first.serverId);
      await first.bus.publish([{ event: message('r-5', 1) }]);
      await first.heard.count(1);
      expect(first.bus.health()).toEqual({ ready: true });
    });

    test('close while busy settles every publish, and nothing is heard afterwards', async () => {
      const { bus, heard } = await started();
      const other = await started();
      const results = Promise.allSettled(
        Array.from({ length: 50 }, (_, i) => bus.publish([{ event: message('r-5', i + 1) }])),
      );
      await Promise.all([bus.close(), bus.close()]);
      const heardAtClose = heard.records.length;
      const written = (await results).filter(({ status }) => status === 'fulfilled').length;
      await other.heard.count(written);
      await other.bus.publish([{ event: message('r-5', 99) }]);
      await other.heard.until((events) => events.some((event) => event.kind === 'message' && event.seq === 99));
      expect(heard.records).toHaveLength(heardAtClose);
      await expect(bus.publish([{ event: message('r-5', 1) }])).rejects.toThrow();
      expect(bus.health().ready).toBe(false);
    });

    test('before start nothing is published and nothing is ready', async () => {
      const bus = open();
      expect(bus.health().ready).toBe(false);
      await expect(bus.publish([{ event: message('r-5', 1) }])).rejects.toThrow();
      await bus.close();
    });
  });
}

function nextServer(): string {
  servers += 1;
  return `server-${process.pid}-${servers}`;
}

function ids(events: readonly ChatEvent[]): string[] {
  return events.map((event) => (event.kind === 'message' ? `${event.place} ${event.seq}` : event.kind)).sort();
}

function sorted(values: readonly object[]): object[] {
  const text = (value: object) => JSON.stringify(Object.entries(value).sort());
  return values.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}
