import { expect, test } from 'vitest';
import { message } from '../../../../dev/events.ts';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { Feeds } from '../../../../src/application/ordering/feeds.ts';
import type { MessageStore } from '../../../../src/application/ports/message-store.ts';
import type { StoredEvent } from '../../../../src/domain/stored-event.ts';
import { HandClock } from '../../../support/hand-clock.ts';

const PLACES = 60;
const EVENTS = 200;
const CHARS = 8_000;

test('long histories of many places do not stay in memory together', async () => {
  let reads = 0;
  const store = {
    newest: async (places: readonly string[]) => new Map(places.map((place) => [place, EVENTS])),
    // Each event has its own copy of the text, as from a database.
    eventsAfter: async (place: 'r-1', after: number, limit: number): Promise<StoredEvent[]> => {
      reads += 1;
      const count = Math.min(limit, EVENTS - after);
      return Array.from({ length: count }, (_, index) => ({
        ...message(place, after + index + 1),
        content: Buffer.alloc(CHARS * 2, 'x').toString('utf16le'),
      }));
    },
  } as unknown as MessageStore;
  const subscribers = {
    deliver() {},

    count: () => 1,
    places: () => [],
    callers: () => [],
    remove() {},
    watch: () => {},
    busiest: () => ({ seconds: 0, places: [] }),
  };
  const feeds = new Feeds({
    store,
    clock: new HandClock(),
    telemetry: new RecordedTelemetry(),
    subscribers,
    unheard() {},
    window: 1_000,
  });
  for (let place = 1; place <= PLACES; place++) {
    const feed = await feeds.open(`r-${place}`);
    expect(await feed.since(0)).toHaveLength(EVENTS);
  }
  // All of them are 192 MB.
  expect(feeds.rememberedBytes).toBeLessThan(100 * 1024 * 1024);
  const before = reads;
  expect(await (await feeds.open(`r-${PLACES}`)).since(0)).toHaveLength(EVENTS);
  expect(reads).toBe(before);
  feeds.stop();
  expect(feeds.rememberedBytes).toBe(0);
});
