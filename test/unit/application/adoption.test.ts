import { expect, it, vi } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { Adoption } from '../../../src/application/first-generation/adoption.ts';
import type { OriginalAuthor, OriginalChange, OriginalEvents } from '../../../src/application/ports/original-events.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import type { MessageId } from '../../../src/domain/ids.ts';
import type { ConversationKey } from '../../../src/domain/place.ts';
import type { Draft } from '../../../src/domain/stored-event.ts';
import { TestWorld } from '../../support/application.ts';
import { passTime } from '../../support/pass-time.ts';

const COMMON = { id: '6b090ea75c507b58679970d2', userId: 2, time: 0, nonce: null, communityId: null } as const;

/** A store that takes everything, except while it is away. Its log is the database of the world. */
class Originals implements OriginalEvents {
  readonly calls: string[] = [];
  isAway = false;
  /** The kind of change that it refuses. */
  refused: OriginalChange['event']['kind'] | null = null;

  async number(_place: ConversationKey, authors: ReadonlyMap<MessageId, OriginalAuthor>): Promise<void> {
    if (this.isAway) throw new Refusal('try-again', 'away');
    this.calls.push('number', ...[...authors.values()].map(({ name }) => name));
  }

  async adopt({ event }: OriginalChange): Promise<null> {
    if (this.isAway || event.kind === this.refused) throw new Refusal('try-again', 'away');
    this.calls.push(event.kind);
    return null;
  }
}

async function setUp() {
  const world = await TestWorld.open();
  const originals = new Originals();
  const telemetry = new RecordedTelemetry();
  const adoptions: Adoption[] = [];
  const { app, subscribe } = await world.server({
    ports: {
      originals: {
        adoptionOf: (parts) => {
          const adoption = new Adoption(originals, { ...parts, telemetry });
          adoptions.push(adoption);
          return adoption;
        },
      },
    },
  });
  const [adoption] = adoptions;
  if (adoption === undefined) throw new Error('the server made no adoption');
  const place = world.room;
  const take = (kind: 'message' | 'file' | 'modify' | 'delete') => {
    const text = { content: 'x', name: 'user2', profileImage: null };
    const event = { kind, place, ...COMMON, ...(kind === 'delete' ? {} : text) } as Draft;
    adoption.take(event, 1);
  };
  const pass = (ms: number) => passTime(world.clock, ms);
  return { world, originals, telemetry, adoption, app, subscribe, take, pass };
}

it('takes the events of a burst together, messages before changes, and at once where a client listens', async () => {
  const { world, originals, subscribe, take, pass } = await setUp();
  await subscribe(world.ada, world.room);
  for (const kind of ['modify', 'message', 'message', 'delete'] as const) take(kind);
  await pass(50);
  // The new events are read from the store in between.
  await vi.waitFor(() => expect(originals.calls).toEqual(['number', 'modify', 'delete']));
});

it('leaves a place without listeners to the other servers for a second', async () => {
  const { originals, take, pass } = await setUp();
  take('message');
  await pass(900);
  expect(originals.calls).toEqual([]);
  await pass(200);
  expect(originals.calls).toEqual(['number']);
});

it('keeps what it heard while the store is away, and takes it in order later', async () => {
  const { originals, telemetry, take, pass } = await setUp();
  originals.isAway = true;
  for (const kind of ['message', 'modify', 'delete'] as const) take(kind);
  await pass(5_000);
  expect(originals.calls).toEqual([]);
  expect(telemetry.logs.map(({ what }) => what)).toContain('events of an original server wait for the store');
  originals.isAway = false;
  await pass(1_100);
  expect(originals.calls).toEqual(['number', 'modify', 'delete']);
});

it('names the authors of files to the store, also after it was away', async () => {
  const { originals, take, pass } = await setUp();
  originals.isAway = true;
  take('file');
  await pass(1_500);
  originals.isAway = false;
  await pass(1_100);
  expect(originals.calls).toEqual(['number', 'user2']);
});

it('gives up a change that the store refuses for a minute, with a log line, and takes the next ones', async () => {
  const { originals, telemetry, take, pass } = await setUp();
  originals.refused = 'modify';
  take('modify');
  take('delete');
  await pass(70_000);
  expect(originals.calls.filter((call) => call !== 'number')).toEqual(['delete']);
  expect(telemetry.logs.map(({ what }) => what)).toContain('a change by an original server is not in the event log');
});

it('ends when everything that was heard is taken', async () => {
  const { originals, adoption, take, pass } = await setUp();
  take('message');
  let isOver = false;
  const stopped = adoption.stop().then(() => {
    isOver = true;
  });
  await pass(500);
  expect(isOver).toBe(false);
  await pass(1_000);
  await stopped;
  expect(originals.calls).toEqual(['number']);
});
