import { afterAll, beforeAll, expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { SqliteDatabase } from '../../../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../../../src/adapters/sqlite/message-store.ts';
import { SystemClock } from '../../../../src/adapters/system/clock.ts';
import type { Proposal } from '../../../../src/application/ordering/proposal.ts';
import { Sequencer } from '../../../../src/application/ordering/sequencer.ts';
import type { Clock } from '../../../../src/application/ports/clock.ts';
import type { MessageStore } from '../../../../src/application/ports/message-store.ts';
import { deletion, modification } from '../../../../src/domain/authorship.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import type { ConversationKey } from '../../../../src/domain/place.ts';
import type { Draft, StoredEvent } from '../../../../src/domain/stored-event.ts';
import { append, newNonce, newPlace, newUser, said } from '../../../contracts/world.ts';
import { HandClock } from '../../../support/hand-clock.ts';

let database: SqliteDatabase;
let store: MessageStore;
beforeAll(async () => {
  database = await SqliteDatabase.open(':memory:');
  store = new SqliteMessageStore({ database });
});
afterAll(() => database.close());

/** A server's sequencer and the events that it handed on after each commit. */
function server(over: MessageStore = store, clock: Clock = new SystemClock()) {
  const telemetry = new RecordedTelemetry();
  const committed: StoredEvent[] = [];
  const sequencer = new Sequencer({
    store: over,
    clock,
    telemetry,
    afterCommit: (_place, events) => committed.push(...events),
  });
  return { sequencer, telemetry, committed };
}

function message(place: ConversationKey, content = 'hello', given: Partial<Proposal> = {}): Proposal {
  const userId = given.userId ?? 1;
  const draft = said(place, content, { userId, nonce: given.nonce ?? null });
  return { place, userId, nonce: null, target: null, kind: 'message', decide: () => draft, ...given };
}

function edit(of: StoredEvent, content: string, userId = of.userId): Proposal {
  const { place, id } = of;
  const decide: Proposal['decide'] = (target) => modification(target, { place, id, userId, nonce: null, content });
  return { place, userId, nonce: null, target: id, kind: 'modify', decide };
}

function removal(of: StoredEvent, nonce: string | null = null): Proposal {
  const { place, id, userId } = of;
  const decide: Proposal['decide'] = (target) => deletion(target, { place, id, userId, nonce });
  return { place, userId, nonce, target: id, kind: 'delete', decide };
}

/** The time after which a store that does not answer gives up. */
const STORE_TIMEOUT_MS = 5_000;

const codeOf = (error: unknown): unknown => (error instanceof Refusal ? error.code : error);

it('numbers the events of a place in the order of calls', async () => {
  const { sequencer, committed } = server();
  const [one, other] = [newPlace(), newPlace()];
  const stored = await Promise.all([one, other, one, one].map((place) => sequencer.append(message(place))));
  expect(stored.map(({ place, seq }) => [place, seq])).toEqual([
    [one, 1],
    [other, 1],
    [one, 2],
    [one, 3],
  ]);
  expect(committed).toHaveLength(4);
});

it('gives each number once when two servers write to a place at the same time', async () => {
  const place = newPlace();
  const servers = [server(), server()];
  await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      for (let turn = 0; turn <= i % 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      await servers[i % 2]?.sequencer.append(message(place));
    }),
  );
  const seqs = servers.flatMap(({ committed }) => committed.map(({ seq }) => seq));
  expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  for (const { committed } of servers) {
    const own = committed.map(({ seq }) => seq);
    expect(own).toEqual([...own].sort((a, b) => a - b));
  }
});

it('stores behind the events of another server that it heard of, without a conflict', async () => {
  const place = newPlace();
  const { sequencer, telemetry } = server();
  await sequencer.append(message(place));
  await append(store, 2, [said(place, 'elsewhere')]);
  sequencer.heard(place, 2);
  expect((await sequencer.append(message(place))).seq).toBe(3);
  expect(telemetry.counts.get('append_conflicts')).toBeUndefined();
});

it('stores an edit behind the events of another server that it did not hear of, after a conflict', async () => {
  const place = newPlace();
  const { sequencer, telemetry } = server();
  const target = await sequencer.append(message(place));
  await append(store, 2, [said(place, 'elsewhere')]);
  expect((await sequencer.append(edit(target, 'changed'))).seq).toBe(3);
  expect(telemetry.counts.get('append_conflicts')).toBe(1);
});

it('lets the store move messages behind the events of another server that it did not hear of', async () => {
  const place = newPlace();
  const { sequencer, telemetry } = server();
  await sequencer.append(message(place));
  await append(store, 2, [said(place, 'elsewhere')]);
  const moved = await Promise.all([sequencer.append(message(place)), sequencer.append(message(place))]);
  expect(moved.map(({ seq }) => seq)).toEqual([3, 4]);
  expect((await sequencer.append(message(place))).seq).toBe(5);
  expect(telemetry.counts.get('append_conflicts')).toBeUndefined();
});

it('decides an edit against the message as it stands right before the edit in the order', async () => {
  const place = newPlace();
  const { sequencer } = server();
  const target = await sequencer.append(message(place));
  const results = await Promise.allSettled([
    sequencer.append(edit(target, 'changed')),
    sequencer.append(removal(target)),
    sequencer.append(edit(target, 'too late')),
    sequencer.append(message(place, 'behind')),
  ]);
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value.seq : codeOf(result.reason)))).toEqual([
    2,
    3,
    'message-not-found',
    4,
  ]);
});

it('refuses an edit by somebody who is not the author and stores nothing of it', async () => {
  const place = newPlace();
  const { sequencer } = server();
  const target = await sequencer.append(message(place));
  const refused = await sequencer.append(edit(target, 'forged', newUser())).catch(codeOf);
  expect(refused).toBe('not-the-author');
  expect((await store.newest([place])).get(place)).toBe(1);
});

it('answers a nonce that is sent twice at once with the same event', async () => {
  const { sequencer, committed } = server();
  const proposal = message(newPlace(), 'once', { userId: newUser(), nonce: newNonce() });
  const [first, second] = await Promise.all([sequencer.append(proposal), sequencer.append(proposal)]);
  expect(second).toEqual(first);
  expect(committed).toHaveLength(1);
});

it('answers a nonce that another server stored with the first event', async () => {
  const proposal = message(newPlace(), 'once', { userId: newUser(), nonce: newNonce() });
  const first = await server().sequencer.append(proposal);
  const other = server();
  expect(await other.sequencer.append(proposal)).toEqual(first);
  expect(other.committed).toEqual([]);
});

it('stores the other events of a batch in which one repeats a nonce', async () => {
  const place = newPlace();
  const proposal = message(place, 'once', { userId: newUser(), nonce: newNonce() });
  await server().sequencer.append(proposal);
  const { sequencer } = server();
  const all = await Promise.all([message(place), proposal, message(place)].map((each) => sequencer.append(each)));
  expect(all.map(({ seq }) => seq)).toEqual([2, 1, 3]);
});

it('answers every repeat when more are sent at once than a proposal may meet conflicts', async () => {
  const place = newPlace();
  const userId = newUser();
  const all = Array.from({ length: 150 }, () => message(place, 'once', { userId, nonce: newNonce() }));
  const first = server().sequencer;
  const stored = await Promise.all(all.map((proposal) => first.append(proposal)));
  const other = server().sequencer;
  expect(await Promise.all(all.map((proposal) => other.append(proposal)))).toEqual(stored);
});

it('answers a repeated deletion with the first one although the message is gone', async () => {
  const { sequencer } = server();
  const target = await sequencer.append(message(newPlace()));
  const proposal = removal(target, newNonce());
  const first = await sequencer.append(proposal);
  expect(await server().sequencer.append(proposal)).toEqual(first);
});

it('tries a nonce again when the first attempt under way was refused', async () => {
  const { sequencer } = server();
  const nonce = newNonce();
  const place = newPlace();
  const userId = newUser();
  const refused = message(place, 'no', {
    userId,
    nonce,
    decide: () => {
      throw new Refusal('try-again', 'not now');
    },
  });
  const first = sequencer.append(refused).catch(codeOf);
  const second = sequencer.append(message(place, 'yes', { userId, nonce }));
  expect(await first).toBe('try-again');
  expect((await second).seq).toBe(1);
});

it('refuses a nonce that was used for another place, kind or target, and says for what', async () => {
  const { sequencer } = server();
  const place = newPlace();
  const [userId, nonce] = [newUser(), newNonce()];
  const target = await sequencer.append(message(place, 'first', { userId, nonce }));
  const elsewhere = message(newPlace(), 'first', { userId, nonce });
  const asFile: Proposal = { ...message(place, 'first', { userId, nonce }), kind: 'file' };
  const asEdit: Proposal = { ...message(place, 'first', { userId, nonce }), target: target.id };
  for (const proposal of [elsewhere, asFile, asEdit]) {
    const error = await sequencer.append(proposal).catch((reason: unknown) => reason);
    expect(codeOf(error)).toBe('bad-input');
    expect(String(error)).toContain(`message in ${place}`);
  }
});

it('refuses with try-again when the outcome of an append is unknown, and continues after the newest number in the store', async () => {
  const place = newPlace();
  let failing = true;
  const doubtful: MessageStore = Object.assign(Object.create(store) as MessageStore, {
    append: async (batches: Parameters<MessageStore['append']>[0]) => {
      const outcomes = await store.append(batches);
      return failing ? outcomes.map(() => ({ kind: 'failed' as const, error: new Error('no answer') })) : outcomes;
    },
    newest: (places: readonly ConversationKey[]) => store.newest(places),
  });
  const { sequencer, committed, telemetry } = server(doubtful);
  expect(await sequencer.append(message(place)).catch(codeOf)).toBe('try-again');
  expect(committed).toEqual([]);
  expect(telemetry.counts.get('append_failures')).toBe(1);
  failing = false;
  expect((await sequencer.append(message(place))).seq).toBe(2);
  expect(telemetry.counts.get('append_conflicts')).toBeUndefined();
});

it('refuses the proposals of a place whose position cannot be read, and takes later ones', async () => {
  let away = true;
  const unreadable: MessageStore = Object.assign(Object.create(store) as MessageStore, {
    append: (batches: Parameters<MessageStore['append']>[0]) => store.append(batches),
    newest: async (places: readonly ConversationKey[]) => {
      if (away) throw new Refusal('try-again', 'the store does not answer');
      return store.newest(places);
    },
  });
  const { sequencer } = server(unreadable);
  const place = newPlace();
  expect(await sequencer.append(message(place)).catch(codeOf)).toBe('try-again');
  away = false;
  expect((await sequencer.append(message(place))).seq).toBe(1);
});

it('refuses with try-again when too many proposals wait', async () => {
  const silent = { pace: 0, newest: () => new Promise(() => {}) } as unknown as MessageStore;
  const { sequencer } = server(silent);
  const place = newPlace();
  const draft: Draft = said(place, 'text');
  const proposal: Proposal = { place, userId: 1, nonce: null, target: null, kind: 'message', decide: () => draft };
  for (let i = 0; i < 50_000; i++) sequencer.append(proposal).catch(() => undefined);
  expect(await sequencer.append(proposal).catch(codeOf)).toBe('try-again');
});

it('the sequencer is idle when everything is stored or refused', async () => {
  const { sequencer, committed } = server();
  const place = newPlace();
  void sequencer.append(message(place));
  void sequencer.append(message(place));
  await sequencer.idle();
  expect(committed).toHaveLength(2);
});

it('refuses each proposal within about 5 s while appends fail, wherever it waits', async () => {
  const clock = new HandClock();
  const hang = <T>(answer: () => T): Promise<T> =>
    new Promise((resolve) => clock.after(STORE_TIMEOUT_MS, () => resolve(answer())));
  const away: MessageStore = Object.assign(Object.create(store) as MessageStore, {
    append: (batches: Parameters<MessageStore['append']>[0]) =>
      hang(() => batches.map(() => ({ kind: 'failed' as const, error: new Error('no answer') }))),
    newest: (places: readonly ConversationKey[]) => hang(() => new Map(places.map((place) => [place, 0]))),
  });
  const { sequencer, telemetry } = server(away, clock);
  const waits: number[] = [];
  const places = Array.from({ length: 5 }, () => newPlace());
  const send = (place: ConversationKey) => {
    const since = clock.monotonic();
    sequencer.append(message(place)).catch(() => waits.push(clock.monotonic() - since));
  };
  for (let time = 0; time < 40_000; time += 100) {
    const place = places[(time / 100) % places.length];
    if (time < 25_000 && place !== undefined) send(place);
    clock.pass(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(waits).toHaveLength(250);
  // The first proposals wait for the position and for the append, before the outage is known.
  expect(Math.max(...waits)).toBeLessThanOrEqual(2 * STORE_TIMEOUT_MS + 1_000);
  expect(Math.max(...waits.slice(100))).toBeLessThanOrEqual(STORE_TIMEOUT_MS + 1_000);
  await sequencer.idle();
  expect(telemetry.logs.filter(({ what }) => what === 'an append failed').length).toBeLessThan(3);
});

it('does not append a proposal again that was refused while its append was under way', async () => {
  const clock = new HandClock();
  const outcomes = [{ kind: 'failed' as const, error: new Error('no answer') }, { kind: 'conflict' as const }];
  let appends = 0;
  const slow: MessageStore = Object.assign(Object.create(store) as MessageStore, {
    append: async () => {
      const outcome = outcomes[appends];
      appends += 1;
      await new Promise<void>((resolve) => clock.after(appends * STORE_TIMEOUT_MS, resolve));
      return [outcome];
    },
    newest: async (places: readonly ConversationKey[]) => new Map(places.map((place) => [place, 0])),
  });
  const { sequencer } = server(slow, clock);
  const answers: unknown[] = [];
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.pass(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  for (const place of [newPlace(), newPlace()]) {
    sequencer.append(message(place)).catch((error: unknown) => answers.push(codeOf(error)));
    await pass(500);
  }
  await pass(2 * STORE_TIMEOUT_MS - 1_000);
  expect(answers).toEqual(['try-again', 'try-again']);
  await pass(4 * STORE_TIMEOUT_MS);
  expect(appends).toBe(2);
  await sequencer.idle();
});
