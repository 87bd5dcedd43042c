import { expect, it } from 'vitest';
import type { ReplaySink } from '../../../../../src/application/ports/local-subscribers.ts';
import { completed, startApplication } from '../../../../support/application.ts';

const EVENTS = 300;
/** Bytes that each event takes in the queue of a connection. */
const EVENT_BYTES = 24_000;
const FULL_BYTES = 262_144;

/** A connection that sends its queue only when a replay waits for that. */
class SlowConnection {
  queuedBytes = 0;
  maxQueuedBytes = 0;
  drains = 0;
  isGone = false;

  sink(): ReplaySink & { readonly seqs: number[]; isLive: boolean } {
    const connection = this;
    return {
      seqs: [],
      isLive: false,
      admitted() {},
      event({ seq }) {
        this.seqs.push(seq);
        connection.queuedBytes += EVENT_BYTES;
        connection.maxQueuedBytes = Math.max(connection.maxQueuedBytes, connection.queuedBytes);
      },
      reset() {},
      get isFull() {
        return connection.queuedBytes > FULL_BYTES;
      },
      async drained() {
        connection.drains += 1;
        await new Promise((resolve) => setImmediate(resolve));
        connection.queuedBytes = 0;
        return !connection.isGone;
      },
      live() {
        this.isLive = true;
      },
    };
  }
}

async function start() {
  const { app, world } = await startApplication();
  const { roomId, room: place } = world;
  const text = { content: 'text', name: null, profileImage: null, nonce: null };
  await Promise.all(
    Array.from({ length: EVENTS }, () => completed(() => app.sendDirectMessage(world.ada, { roomId, ...text }))),
  );
  return async (connection: SlowConnection, lastSeq: number) => {
    const sink = connection.sink();
    const { seq } = await completed(() => app.subscribe(world.grace, { place, lastSeq, sink }));
    return { seq, sink };
  };
}

it('never queues more than a connection bears, however many replays share it', async () => {
  const replay = await start();
  const connection = new SlowConnection();
  const replays = await Promise.all(Array.from({ length: 20 }, () => replay(connection, 0)));
  const all = Array.from({ length: EVENTS }, (_, index) => index + 1);
  for (const { sink } of replays) expect(sink).toMatchObject({ seqs: all, isLive: true });
  expect(connection.maxQueuedBytes).toBeLessThanOrEqual(FULL_BYTES + EVENT_BYTES);
});

it('does not wait for the connection during a short replay', async () => {
  const replay = await start();
  const connection = new SlowConnection();
  const { seq, sink } = await replay(connection, EVENTS - 5);
  expect([seq, sink.seqs.length, connection.drains]).toEqual([EVENTS, 5, 0]);
});

it('ends a replay when the connection is gone, without making the subscription live', async () => {
  const replay = await start();
  const connection = new SlowConnection();
  connection.isGone = true;
  const { seq, sink } = await replay(connection, 0);
  expect(sink.isLive).toBe(false);
  expect([seq, sink.seqs.length]).toEqual([sink.seqs.at(-1), Math.floor(FULL_BYTES / EVENT_BYTES) + 1]);
});
