import { expect, it } from 'vitest';
import { Journal } from '../../../src/application/journal.ts';
import type { AppendBatch, MessageStore } from '../../../src/application/ports/message-store.ts';
import { roomKey } from '../../../src/domain/conversation.ts';
import { said } from '../../contracts/world.ts';
import { VirtualTime } from '../../support/durability/virtual-time.ts';
import { RecordedTelemetry } from '../../support/recorded-telemetry.ts';

const APPEND_MS = 2;

/** A journal on a store that only appends, in `APPEND_MS`, and when each append began and how many batches it had. */
function journal(pace: number) {
  const time = new VirtualTime();
  const appends: { at: number; batches: number }[] = [];
  const began = time.now();
  const append: MessageStore['append'] = async (batches: readonly AppendBatch[]) => {
    appends.push({ at: time.now() - began, batches: batches.length });
    await time.sleep(APPEND_MS);
    return batches.map(() => ({ kind: 'stored' }));
  };
  const newest: MessageStore['newest'] = async (places) => new Map(places.map((place) => [place, 0]));
  const store = { pace, append, newest } as unknown as MessageStore;
  const telemetry = new RecordedTelemetry();
  const made = new Journal({ store, clock: time, telemetry, committed: () => {} });
  const say = (room: number) => {
    const place = roomKey(room);
    const decide = () => said(place, 'text');
    return made.append({ place, userId: 1, nonce: null, target: null, kind: 'message', decide });
  };
  return { time, appends, say };
}

it('begins the append of a lone message at once, and the next not before the store says', async () => {
  const { time, appends, say } = journal(10);
  await time.run(
    (async () => {
      await time.sleep(10);
      await say(1);
      await say(2);
      await time.sleep(100);
      await say(3);
    })(),
  );
  expect(appends.map(({ at }) => at)).toEqual([10, 20, 122]);
});

it('lets what comes meanwhile share an append', async () => {
  const { time, appends, say } = journal(10);
  const said: Promise<unknown>[] = [];
  await time.run(
    (async () => {
      await time.sleep(10);
      for (let room = 1; room <= 20; room += 1) {
        said.push(say(room));
        await time.sleep(1);
      }
      await Promise.all(said);
    })(),
  );
  expect(appends).toEqual([
    { at: 10, batches: 1 },
    { at: 20, batches: 10 },
    { at: 30, batches: 9 },
  ]);
});

it('does not wait where many do', async () => {
  const { time, appends, say } = journal(10);
  await time.run(
    (async () => {
      await time.sleep(10);
      await say(0);
      await Promise.all(Array.from({ length: 40 }, (_, i) => say(i + 1)));
    })(),
  );
  expect(appends).toEqual([
    { at: 10, batches: 1 },
    { at: 12, batches: 40 },
  ]);
});
