import { expect, it } from 'vitest';
import { VirtualTime } from '../../../../dev/durability/virtual-time.ts';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { Sequencer } from '../../../../src/application/ordering/sequencer.ts';
import type { AppendBatch, MessageStore } from '../../../../src/application/ports/message-store.ts';
import { roomKey } from '../../../../src/domain/place.ts';
import { said } from '../../../contracts/world.ts';

const APPEND_MS = 2;

interface Append {
  /** Milliseconds since the script began. */
  readonly at: number;
  readonly batches: number;
}

interface Talk {
  readonly time: VirtualTime;
  say(room: number): Promise<unknown>;
}

/**
 * Runs a script against a sequencer whose store takes `APPEND_MS` for each append. `committed` is
 * called after each commit.
 */
async function play(
  pace: number,
  script: (talk: Talk) => Promise<unknown>,
  committed: (talk: Talk, appends: readonly Append[]) => void = () => {},
): Promise<Append[]> {
  const time = new VirtualTime();
  const appends: Append[] = [];
  const began = time.now();
  const append: MessageStore['append'] = async (batches: readonly AppendBatch[]) => {
    appends.push({ at: time.now() - began, batches: batches.length });
    await time.sleep(APPEND_MS);
    return batches.map(() => ({ kind: 'stored' }));
  };
  const newest: MessageStore['newest'] = async (places) => new Map(places.map((place) => [place, 0]));
  const store = { pace, append, newest } as unknown as MessageStore;
  const telemetry = new RecordedTelemetry();
  const sequencer = new Sequencer({ store, clock: time, telemetry, afterCommit: () => committed(talk, appends) });
  const talk: Talk = {
    time,
    say(room) {
      const place = roomKey(room);
      const decide = () => said(place, 'text');
      return sequencer.append({ place, userId: 1, nonce: null, target: null, kind: 'message', decide });
    },
  };
  // Longer than any interval since the last append.
  await time.run(time.sleep(10).then(() => script(talk)));
  return appends;
}

it('begins the append of a single message at once, and the next one after the interval of the store', async () => {
  const appends = await play(10, async ({ time, say }) => {
    await say(1);
    await say(2);
    await time.sleep(100);
    await say(3);
  });
  expect(appends.map(({ at }) => at)).toEqual([10, 20, 122]);
});

it('appends together the messages that arrive within the interval', async () => {
  const appends = await play(10, async ({ time, say }) => {
    const all: Promise<unknown>[] = [];
    for (let room = 1; room <= 20; room += 1) {
      all.push(say(room));
      await time.sleep(1);
    }
    await Promise.all(all);
  });
  expect(appends).toEqual([
    { at: 10, batches: 1 },
    { at: 20, batches: 10 },
    { at: 30, batches: 9 },
  ]);
});

it('does not wait for the interval when many messages wait', async () => {
  const appends = await play(10, async ({ say }) => {
    await say(0);
    await Promise.all(Array.from({ length: 40 }, (_, i) => say(i + 1)));
  });
  expect(appends).toEqual([
    { at: 10, batches: 1 },
    { at: 12, batches: 40 },
  ]);
});

it('does not wait when the store recommends no interval', async () => {
  const appends = await play(0, async ({ say }) => {
    await say(1);
    await say(2);
  });
  expect(appends.map(({ at }) => at)).toEqual([10, 12]);
});

it('begins the next append before the frames of the last one are written', async () => {
  const begunWhenWritten: number[] = [];
  await play(
    0,
    async ({ time, say }) => {
      const first = say(1);
      await time.sleep(1);
      await Promise.all([first, say(2)]);
    },
    // Runs when connections would write their frames.
    ({ time }, appends) => time.soon(() => begunWhenWritten.push(appends.length)),
  );
  expect(begunWhenWritten[0]).toBe(2);
});
