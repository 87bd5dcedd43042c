import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/application/ordering/proposal.ts';
import { Sequencer } from '../../src/application/ordering/sequencer.ts';
import type { Clock } from '../../src/application/ports/clock.ts';
import { deletion } from '../../src/domain/authorship.ts';
import { Refusal } from '../../src/domain/errors.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import { blanked, type Draft, type SequencedEvent, unquoted, withoutDeleted } from '../../src/domain/stored-event.ts';
import {
  append,
  appendInTurn,
  deleted,
  edited,
  newPlace,
  numbered,
  replied,
  said,
  shared,
  type World,
} from './world.ts';

/** A world whose stored data can be searched. */
export interface SearchableWorld extends World {
  /**
   * How often these texts stand anywhere in the stored data: in a database file after a checkpoint,
   * in every collection. Servers opened before may be closed by it.
   */
  occurrences(texts: readonly string[]): Promise<number>;
}

let lastSecret = 0;

/** A text that stands nowhere else. */
function newSecret(): string {
  lastSecret += 1;
  return `secret-${Math.random().toString(36).slice(2)}-${lastSecret}.`;
}

function quoting(place: ConversationKey, parentId: string, parentContent: string) {
  return { ...replied(place, 'a reply', parentId), parentContent };
}

/** The text of a deleted message is readable nowhere in the store. */
export function deletedTextContract(name: string, makeWorld: () => Promise<SearchableWorld>, clock: Clock): void {
  describe(`${name}: deleted text`, () => {
    let world: SearchableWorld;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    /** The events of the place, after all of them were applied. */
    const eventsOf = async (place: ConversationKey): Promise<SequencedEvent[]> => {
      const { store } = await world.server();
      await store.history(place, { kind: 'page', page: 0, size: 1 });
      return store.eventsAfter(place, 0, 5_000);
    };

    it('finds the text of a message, of its edits and of the replies to it before the deletion', async () => {
      const { store } = await world.server();
      const [place, text, later] = [newPlace(), newSecret(), newSecret()];
      const message = said(place, text);
      await append(store, 1, [message, edited(message, later), quoting(place, message.id, text)]);
      await eventsOf(place);
      expect(await world.occurrences([text])).toBeGreaterThan(1);
      expect(await world.occurrences([later])).toBeGreaterThan(1);
    });

    it.each(['r', 'c'] as const)(
      'leaves nothing of a message with edits and replies in a place of kind %s',
      async (kind) => {
        const [one, other] = [await world.server(), await world.server({ idle: true })];
        const place = newPlace(kind);
        const texts = [newSecret(), newSecret(), newSecret(), newSecret()] as const;
        const [first, second, third, bystander] = texts;
        const message = said(place, first);
        const [early, late] = [quoting(place, message.id, first), quoting(place, message.id, second)];
        const [kept, answer] = [said(place, bystander), quoting(place, 'f'.repeat(24), bystander)];
        await append(one.store, 1, [message, kept, early]);
        await append(other.store, 4, [edited(message, second), late, answer]);
        await append(one.store, 7, [edited(message, third)]);
        await eventsOf(place);
        await append(one.store, 8, [deleted(message)]);
        const drafts = [message, kept, early, edited(message, second), late, answer, edited(message, third)];
        expect(await eventsOf(place)).toEqual(withoutDeleted(numbered(1, [...drafts, deleted(message)])));
        expect(await world.occurrences([first, second, third])).toBe(0);
        expect(await world.occurrences([bystander])).toBeGreaterThan(1);
        const page = await (await world.server()).store.history(place, { kind: 'page', page: 0, size: 9 });
        expect(page.entries.map(({ message, parent }) => [message.content, message.parentId, parent])).toEqual([
          [bystander, null, null],
          ['a reply', message.id, null],
          ['a reply', message.id, null],
          ['a reply', 'f'.repeat(24), null],
        ]);
      },
    );

    it('leaves nothing of a message that was answered and deleted in one batch', async () => {
      const { store } = await world.server({ idle: true });
      const [place, text] = [newPlace(), newSecret()];
      const message = said(place, text);
      const drafts = [message, edited(message, `${text} edited`), quoting(place, message.id, text), deleted(message)];
      await append(store, 1, drafts);
      await eventsOf(place);
      expect(await world.occurrences([text])).toBe(0);
    });

    it('removes the quote also from a reply that was deleted before', async () => {
      const { store } = await world.server();
      const [place, text] = [newPlace(), newSecret()];
      const message = said(place, text);
      const reply = quoting(place, message.id, text);
      await append(store, 1, [message, reply]);
      await append(store, 3, [deleted(reply)]);
      expect((await eventsOf(place))[1]).toEqual(blanked({ ...reply, seq: 2 }));
      await append((await world.server()).store, 4, [deleted(message)]);
      expect((await eventsOf(place))[1]).toEqual(unquoted(blanked({ ...reply, seq: 2 })));
      expect(await world.occurrences([text])).toBe(0);
    });

    it('leaves neither the key, the thumbnail nor the name of a deleted file, with a thumbnail and without', async () => {
      const { store } = await world.server();
      const [place, fileName] = [newPlace('c'), newSecret()];
      const [key, thumbnail, other] = [newSecret(), newSecret(), newSecret()];
      const files = [
        { ...shared(place, key), thumbnail, fileName },
        { ...shared(place, other), thumbnail: null, fileName: null },
      ];
      await append(store, 1, files);
      await append(
        store,
        3,
        files.map((file) => deleted(file)),
      );
      const [first, second] = await eventsOf(place);
      expect([first, second]).toMatchObject([
        { kind: 'file', content: '', thumbnail: '', fileName: '' },
        { kind: 'file', content: '', thumbnail: '', fileName: '' },
      ]);
      expect(await world.occurrences([key, thumbnail, other, fileName])).toBe(0);
    });

    it('leaves nothing of a message with a thousand replies, half of them not yet applied', {
      timeout: 30_000,
    }, async () => {
      const dead = await world.server({ idle: true });
      const [place, text] = [newPlace(), newSecret()];
      const message = said(place, text);
      await append(dead.store, 1, [message]);
      for (let batch = 0; batch < 10; batch += 1) {
        const replies = Array.from({ length: 100 }, () => quoting(place, message.id, text));
        expect((await appendInTurn(dead.store, replies)).kind).toBe('stored');
        if (batch === 4) await eventsOf(place);
      }
      const { store } = await world.server();
      await appendInTurn(store, [deleted(message)]);
      const events = await eventsOf(place);
      const quotes = events.flatMap((event) => (event.kind === 'reply' ? [event.parentContent] : []));
      expect(quotes).toEqual(Array.from({ length: 1_000 }, () => null));
      expect(await world.occurrences([text])).toBe(0);
    });

    it('leaves nothing when servers store replies while another one deletes the message', {
      timeout: 30_000,
    }, async () => {
      const servers = await Promise.all([1, 2, 3].map(() => world.server()));
      const sequencers = servers.map(
        ({ store }) => new Sequencer({ store, clock, telemetry: SILENT, afterCommit() {} }),
      );
      const texts: string[] = [];
      const places: ConversationKey[] = [];
      let [stored, refused] = [0, 0];
      for (let round = 0; round < 12; round += 1) {
        const [place, text] = [newPlace(), newSecret()];
        texts.push(text);
        places.push(place);
        const message = said(place, text);
        const [deleting, ...replying] = sequencers as [Sequencer, Sequencer, Sequencer];
        await deleting.append(proposal(message, null, () => message));
        const request = { place, id: message.id, userId: message.userId, nonce: null };
        const remove = () =>
          deleting.append(proposal(message, message.id, (target) => deletion(target, request), 'delete'));
        let removal: Promise<unknown> | null = null;
        await Promise.all(
          replying.map(async (sequencer) => {
            for (let reply = 0; reply < 8; reply += 1) {
              if (reply === round % 8) removal ??= remove();
              const outcome = sequencer.append(proposal(message, message.id, quoteOf));
              if (
                await outcome.then(
                  () => true,
                  () => false,
                )
              )
                stored += 1;
              else refused += 1;
            }
          }),
        );
        await removal;
      }
      // Both outcomes occur, otherwise nothing was tested.
      expect([stored > 0, refused > 0]).toEqual([true, true]);
      for (const place of places) {
        const quotes = (await eventsOf(place)).flatMap((event) =>
          event.kind === 'reply' ? [event.parentContent] : [],
        );
        expect(quotes.every((quote) => quote === null)).toBe(true);
      }
      expect(await world.occurrences(texts)).toBe(0);
    });
  });
}

const SILENT = { count() {}, observe() {}, log() {} };

const quoteOf: Proposal['decide'] = (parent) => {
  if (parent === undefined) throw new Refusal('message-not-found', 'the message was deleted');
  return quoting(parent.place, parent.id, parent.content ?? '');
};

function proposal(
  { place, userId }: Draft,
  target: string | null,
  decide: Proposal['decide'],
  kind: Proposal['kind'] = target === null ? 'message' : 'reply',
): Proposal {
  return { place, userId, nonce: null, target, kind, decide };
}
