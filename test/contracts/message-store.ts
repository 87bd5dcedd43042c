import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MessageStore } from '../../src/application/ports/message-store.ts';
import { blanked, type Draft, STORED_KIND_NAMES, type StoredKind } from '../../src/domain/stored-event.ts';
import {
  append,
  appendInTurn,
  type DraftOf,
  deleted,
  edited,
  known,
  newNonce,
  newPlace,
  newUser,
  numbered,
  replied,
  said,
  shared,
  type World,
} from './world.ts';

/** The effect of an event of each kind on the messages of its place. */
type Effect = 'creates' | 'changes' | 'removes' | 'nothing';

interface KindCase<K extends StoredKind> {
  readonly effect: Effect;
  /** An event about `target`, a message of the same place. */
  draft(target: DraftOf<'message'>, given: { readonly userId: number; readonly nonce: string }): DraftOf<K>;
}

/** One case for each kind of stored event. A kind that is missing here does not compile. */
const EACH_KIND: { readonly [K in StoredKind]: KindCase<K> } = {
  message: { effect: 'creates', draft: ({ place }, given) => said(place, 'of the kind', given) },
  reply: { effect: 'creates', draft: ({ place, id }, given) => replied(place, 'of the kind', id, given) },
  file: { effect: 'creates', draft: ({ place }, given) => shared(place, 'of the kind', given) },
  modify: { effect: 'changes', draft: (target, given) => ({ ...edited(target, 'of the kind'), ...given }) },
  delete: { effect: 'removes', draft: (target, given) => ({ ...deleted(target), ...given }) },
};

const DAY_MS = 24 * 60 * 60 * 1000;

export interface MessageStoreTraits {
  /**
   * The store accepts a first number ahead of a place that it knows: the caller has it from the
   * bus.
   */
  readonly trustsNumbersAhead?: true;
}

/**
 * The contract of `MessageStore`. Each case uses its own places and users, so the cases may share a
 * world.
 */
export function messageStoreContract(
  name: string,
  makeWorld: () => Promise<World>,
  traits: MessageStoreTraits = {},
): void {
  describe(`${name}: events`, () => {
    let world: World;
    let store: MessageStore;
    beforeAll(async () => {
      world = await makeWorld();
      store = (await world.server()).store;
    });
    afterAll(() => world.close());

    it('stores a movable batch behind newer events and says where, or reports a conflict', async () => {
      const place = newPlace();
      const [one, two, three, four] = ['one', 'two', 'three', 'four'].map((text) => said(place, text));
      if (!one || !two || !three || !four) throw new Error('four drafts');
      await append(store, 1, [one, two]);
      const [outcome] = await store.append([{ place, first: 2, drafts: [three, four], isMovable: true }]);
      const isMoved = outcome?.kind === 'stored';
      expect(outcome).toEqual(isMoved ? { kind: 'stored', first: 3 } : { kind: 'conflict' });
      expect(await store.eventsAfter(place, 0, 10)).toEqual(
        numbered(1, isMoved ? [one, two, three, four] : [one, two]),
      );
    });

    it('returns the events of every kind unchanged, with their numbers', async () => {
      const place = newPlace('c');
      const first = said(place, 'hé "quoted" \\ \n 안녕 😀 \u0000 end', { nonce: newNonce() });
      const reply = replied(place, 'yes', first.id, { userId: 2 });
      const drafts = [first, reply, shared(place, 'key/1'), edited(first, 'anew'), deleted(reply)];
      const events = numbered(1, drafts);
      expect(await append(store, 1, [first, reply])).toEqual({ kind: 'stored' });
      expect(await store.eventsAfter(place, 0, 10)).toEqual(events.slice(0, 2));
      expect(await append(store, 3, drafts.slice(2))).toEqual({ kind: 'stored' });
      const [, hidden] = events;
      if (hidden === undefined) throw new Error('no reply');
      // The text leaves the log no later than the message leaves the history.
      await store.history(place, { kind: 'page', page: 0, size: 5 });
      expect(await store.eventsAfter(place, 0, 10)).toEqual([events[0], blanked(hidden), ...events.slice(2)]);
    });

    it('reads events from any number, also inside of a batch, and with a limit', async () => {
      const place = newPlace();
      const drafts = Array.from({ length: 7 }, (_, i) => said(place, `m${i + 1}`));
      const events = numbered(1, drafts);
      await append(store, 1, drafts.slice(0, 3));
      await append(store, 4, drafts.slice(3, 4));
      await append(store, 5, drafts.slice(4));
      for (let after = 0; after <= 7; after += 1) {
        expect(await store.eventsAfter(place, after, 100)).toEqual(events.slice(after));
        expect(await store.eventsAfter(place, after, 2)).toEqual(events.slice(after, after + 2));
      }
      expect(await store.eventsAfter(place, 8, 100)).toEqual([]);
      expect(await store.eventsAfter(newPlace(), 0, 100)).toEqual([]);
      // A batch that was read in part must not change the known end of the place.
      expect((await append(store, 3, [said(place, 'in between')])).kind).toBe('conflict');
      expect((await append(store, 7, [said(place, 'in between')])).kind).toBe('conflict');
      expect(await store.eventsAfter(place, 0, 100)).toEqual(events);
    });

    it('returns the newest numbers of many places at once', async () => {
      const places = Array.from({ length: 40 }, () => newPlace('c'));
      const batches = places.slice(1).map((place, i) => ({
        place,
        first: 1,
        drafts: Array.from({ length: 1 + (i % 3) }, () => said(place, 'x')),
      }));
      expect((await store.append(batches)).map((outcome) => outcome.kind)).toEqual(batches.map(() => 'stored'));
      const newest = await (await world.server()).store.newest(places);
      expect(places.map((place) => newest.get(place))).toEqual([0, ...batches.map((batch) => batch.drafts.length)]);
      expect(await store.newest([])).toEqual(new Map());
    });

    it('keeps a room and a channel of the same id apart', async () => {
      const room = newPlace('r');
      const channel = newPlace('c').replace(/\d+/, room.slice(2)) as typeof room;
      await append(store, 1, [said(room, 'a'), said(room, 'b')]);
      await append(store, 1, [said(channel, 'c')]);
      expect(await store.newest([room, channel])).toEqual(
        new Map([
          [room, 2],
          [channel, 1],
        ]),
      );
      const page = await store.history(channel, { kind: 'page', page: 0, size: 9 });
      expect(page.entries.map(({ message }) => message.content)).toEqual(['c']);
    });

    it('stores each batch as a whole or not at all, independently of the others', async () => {
      const [free, taken, doubled] = [newPlace(), newPlace(), newPlace()];
      const nonce = newNonce();
      const user = newUser();
      await append(store, 1, [said(taken, 'first')]);
      await append(store, 1, [said(doubled, 'first', { userId: user, nonce })]);
      const outcomes = await store.append([
        { place: free, first: 1, drafts: [said(free, 'a'), said(free, 'b')] },
        { place: taken, first: 1, drafts: [said(taken, 'a'), said(taken, 'b')] },
        { place: doubled, first: 2, drafts: [said(doubled, 'a'), said(doubled, 'b', { userId: user, nonce })] },
      ]);
      expect(outcomes.map((outcome) => outcome.kind)).toEqual(['stored', 'conflict', 'repeated']);
      expect(outcomes[2]).toMatchObject({ index: 1, event: { seq: 1, content: 'first' } });
      expect(await store.newest([free, taken, doubled])).toEqual(
        new Map([
          [free, 2],
          [taken, 1],
          [doubled, 1],
        ]),
      );
      expect((await append(store, 2, [said(doubled, 'a')])).kind).toBe('stored');
    });

    it('numbers events without gaps while several servers write to the same places', { timeout: 30_000 }, async () => {
      const servers = await Promise.all([1, 2, 3].map(() => world.server()));
      const places = [newPlace(), newPlace('c')];
      const sent = new Map<string, Draft>();
      await Promise.all(
        servers.flatMap((server, s) =>
          places.map(async (place) => {
            for (let i = 0; i < 25; i += 1) {
              const drafts = Array.from({ length: 1 + (i % 3) }, (_, k) => said(place, `${s}/${i}/${k}`));
              for (const draft of drafts) sent.set(draft.id, draft);
              expect((await appendInTurn(server.store, drafts)).kind).toBe('stored');
            }
          }),
        ),
      );
      for (const place of places) {
        const events = known(await store.eventsAfter(place, 0, 1000));
        const mine = [...sent.values()].filter((draft) => draft.place === place);
        expect(events.map((event) => event.seq)).toEqual(mine.map((_, i) => i + 1));
        expect(new Set(events.map((event) => event.id))).toEqual(new Set(mine.map((draft) => draft.id)));
        for (const { seq, ...draft } of events) expect(sent.get(draft.id)).toEqual(draft);
        const page = await store.history(place, { kind: 'page', page: 0, size: 1000 });
        expect(page.entries.map(({ message }) => [message.seq, message.id])).toEqual(
          events.map((event) => [event.seq, event.id]),
        );
      }
    });

    it('refuses a number that is taken, and a number ahead of a place that it has not read', async () => {
      const place = newPlace();
      expect((await append(store, 2, [said(place, 'too far')])).kind).toBe('conflict');
      await append(store, 1, [said(place, 'a'), said(place, 'b')]);
      for (const first of [1, 2, 4, 9]) {
        const other = (await world.server()).store;
        expect((await append(other, first, [said(place, 'x')])).kind).toBe('conflict');
        expect((await append(other, 1, [said(place, 'x')])).kind).toBe('conflict');
      }
      expect((await append(store, 3, [said(place, 'c')])).kind).toBe('stored');
    });

    it.skipIf(traits.trustsNumbersAhead)('refuses a number ahead of a place that it knows', async () => {
      const place = newPlace();
      await append(store, 1, [said(place, 'a')]);
      expect((await append(store, 3, [said(place, 'too far')])).kind).toBe('conflict');
      expect((await append(store, 2, [said(place, 'b')])).kind).toBe('stored');
    });
  });

  describe(`${name}: each kind of event`, () => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    it.each(STORED_KIND_NAMES)(
      'returns a %s unchanged from every read, and changes the messages according to its kind',
      async (kind) => {
        const { store, outbox, markers } = await world.server();
        const { effect, draft } = EACH_KIND[kind];
        const [place, author, nonce] = [newPlace('c'), newUser(), newNonce()];
        const target = said(place, 'target', { userId: author });
        const event = draft(target, { userId: author, nonce });
        const behind = said(place, 'behind', { userId: author });
        expect(await append(store, 1, [target])).toEqual({ kind: 'stored' });
        expect(await append(store, 2, [event, behind])).toEqual({ kind: 'stored' });

        const shown = {
          creates: [
            [1, 'target', false],
            [2, 'of the kind', false],
            [3, 'behind', false],
          ],
          changes: [
            [1, 'of the kind', true],
            [3, 'behind', false],
          ],
          removes: [[3, 'behind', false]],
          nothing: [
            [1, 'target', false],
            [3, 'behind', false],
          ],
        }[effect];
        const page = await store.history(place, { kind: 'page', page: 0, size: 9 });
        const { entries } = page;
        expect(page.seq).toBe(3);
        expect(entries.map(({ message }) => [message.seq, message.content, message.edited])).toEqual(shown);
        const found = await store.messages(place, [target.id, event.id, behind.id]);
        expect(new Set(found.keys())).toEqual(new Set(entries.map(({ message }) => message.id)));

        const [first, second, third] = numbered(1, [target, event, behind]);
        const kept = effect === 'removes' && first !== undefined ? blanked(first) : first;
        expect(await store.eventsAfter(place, 0, 9)).toEqual([kept, second, third]);
        expect(await store.byNonce(author, nonce)).toEqual(second);
        expect(await append(store, 4, [event])).toEqual({ kind: 'repeated', index: 0, event: second });
        const unpublished = (await outbox.unpublished(0, 1000)).filter((batch) => batch.place === place);
        expect(unpublished).toEqual([
          { place, first: 1, events: [kept] },
          { place, first: 2, events: [second, third] },
        ]);
        const counts = await markers.unread(newUser(), [place]);
        expect(counts).toMatchObject([{ place, count: entries.length, seq: 3 }]);
      },
    );
  });

  describe(`${name}: nonces`, () => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    it('stores a nonce once when several servers get it at the same time', async () => {
      const servers = await Promise.all([1, 2, 3, 4].map(() => world.server()));
      for (let round = 0; round < 10; round += 1) {
        const user = newUser();
        const nonce = newNonce();
        const places = [newPlace(), newPlace()];
        const outcomes = await Promise.all(
          servers.map((server, i) => {
            const place = places[i % 2] ?? newPlace();
            return appendInTurn(server.store, [said(place, 'before'), said(place, 'once', { userId: user, nonce })]);
          }),
        );
        expect(outcomes.filter((outcome) => outcome.kind === 'stored')).toHaveLength(1);
        const repeats = outcomes.flatMap((outcome) => (outcome.kind === 'repeated' ? [outcome.event] : []));
        expect(repeats).toHaveLength(3);
        const reader = servers[round % 4]?.store;
        const stored = known((await Promise.all(places.map((place) => reader?.eventsAfter(place, 0, 9) ?? []))).flat());
        const event = stored.find((candidate) => candidate?.nonce === nonce);
        for (const one of repeats) expect(one).toEqual(event);
        expect(stored).toHaveLength(2);
        expect(await reader?.byNonce(user, nonce)).toEqual(event);
      }
    });

    it('stores a nonce once when one call has it in two places', async () => {
      const { store } = await world.server();
      const [user, nonce, a, b] = [newUser(), newNonce(), newPlace(), newPlace()];
      const outcomes = await store.append(
        [a, b].map((place) => ({ place, first: 1, drafts: [said(place, 'x', { userId: user, nonce })] })),
      );
      expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(['repeated', 'stored']);
    });

    it('recognizes the nonces of a deleted message, of its edit and of its deletion', async () => {
      const { store } = await world.server();
      const [user, place] = [newUser(), newPlace()];
      const [once, twice, thrice] = [newNonce(), newNonce(), newNonce()];
      const message = said(place, 'secret', { userId: user, nonce: once });
      await append(store, 1, [message]);
      await append(store, 2, [edited(message, 'changed', twice)]);
      await append(store, 3, [deleted(message, thrice)]);
      const again = await append(store, 4, [said(place, 'secret', { userId: user, nonce: once })]);
      expect(again).toMatchObject({ kind: 'repeated', event: { seq: 1, id: message.id } });
      for (const [nonce, seq] of [
        [twice, 2],
        [thrice, 3],
      ] as const) {
        expect(await append(store, 4, [said(place, 'x', { userId: user, nonce })])).toMatchObject({
          kind: 'repeated',
          index: 0,
          event: { seq, id: message.id },
        });
      }
      expect((await store.newest([place])).get(place)).toBe(3);
    });

    it('stores the same nonce of two users twice', async () => {
      const { store } = await world.server();
      const [nonce, place, ada, bo] = [newNonce(), newPlace(), newUser(), newUser()];
      expect((await append(store, 1, [said(place, 'a', { userId: ada, nonce })])).kind).toBe('stored');
      expect((await append(store, 2, [said(place, 'b', { userId: bo, nonce })])).kind).toBe('stored');
      expect(await store.byNonce(bo, nonce)).toMatchObject({ seq: 2 });
      expect(await store.byNonce(bo, newNonce())).toBeNull();
      expect(await store.byNonce(newUser(), nonce)).toBeNull();
    });

    it('tells apart nonces that look alike', async () => {
      const { store } = await world.server();
      const [user, place, start] = [newUser(), newPlace(), newNonce()];
      const nonces = [
        'a',
        'A',
        'é',
        'e\u0301',
        'a\u0000b',
        'a\u0000c',
        'a ',
        'ａ',
        '1',
        '01',
        '\u{10ffff}',
        '$a',
        'a.b',
      ];
      for (const [at, each] of nonces.entries()) {
        const nonce = start + each;
        expect((await append(store, at + 1, [said(place, each, { userId: user, nonce })])).kind).toBe('stored');
        expect(await store.byNonce(user, nonce)).toMatchObject({ seq: at + 1, nonce });
      }
    });

    it('accepts a nonce again after 24 hours, and not before', async () => {
      let now = Date.now();
      const { store } = await world.server({ now: () => now });
      const [user, nonce, place] = [newUser(), newNonce(), newPlace()];
      const say = (first: number) => append(store, first, [said(place, `at ${first}`, { userId: user, nonce })]);
      expect((await say(1)).kind).toBe('stored');
      now += DAY_MS - 1000;
      expect(await say(2)).toMatchObject({ kind: 'repeated', event: { seq: 1 } });
      now += 2000;
      expect(await store.byNonce(user, nonce)).toBeNull();
      expect((await say(2)).kind).toBe('stored');
      expect(await say(3)).toMatchObject({ kind: 'repeated', event: { seq: 2 } });
      expect(await store.byNonce(user, nonce)).toMatchObject({ seq: 2 });
    });
  });
}
