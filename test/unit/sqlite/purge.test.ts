import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Purge } from '../../../src/adapters/sqlite/purge.ts';
import { prepareSchema } from '../../../src/adapters/sqlite/schema.ts';
import { runGroup } from '../../../src/adapters/sqlite/transaction-group.ts';
import { callsOn } from '../../../src/adapters/sqlite/worker-calls.ts';
import type { Draft } from '../../../src/domain/stored-event.ts';
import { deleted, edited, newPlace, replied, said } from '../../contracts/world.ts';
import { HandClock } from '../../support/hand-clock.ts';

let folder: string;
let db: DatabaseSync;
let clock: HandClock;
let purge: Purge;
let append: (first: number, drafts: readonly Draft[]) => void;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-sqlite-'));
  db = new DatabaseSync(join(folder, 'chat.db'));
  prepareSchema(db, folder);
  clock = new HandClock();
  purge = new Purge({ db, after: (ms, task) => void clock.after(ms, task) });
  const calls = callsOn(db, () => purge.removed());
  append = (first, drafts) => {
    const batch = { place: drafts[0]?.place ?? newPlace(), first, drafts };
    const answers = runGroup(db, calls, [{ id: 1, name: 'append', args: [[batch], clock.now()] }]);
    expect(answers).toEqual([{ id: 1, result: [{ kind: 'stored' }] }]);
  };
});
afterEach(async () => {
  if (db.isOpen) db.close();
  await rm(folder, { recursive: true });
});

/** The texts of this pattern in the database file and its WAL, each once. */
async function found(pattern: RegExp): Promise<Set<string>> {
  const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')));
  return new Set(files.flatMap((bytes) => bytes.match(pattern) ?? []));
}

it('clears a deleted text out of the file and the WAL of a running server within a minute', async () => {
  const message = said(newPlace(), 'secret-1');
  append(1, [message, { ...replied(message.place, 're', message.id), parentContent: 'secret-1' }]);
  append(3, [edited(message, 'secret-2')]);
  append(4, [deleted(message)]);
  expect(await found(/secret-\d/g)).toEqual(new Set(['secret-1', 'secret-2']));
  await clock.pass(60_000);
  expect(await found(/secret-\d/g)).toEqual(new Set());
  const next = said(message.place, 'secret-3');
  append(5, [next, deleted(next)]);
  await clock.pass(60_000);
  expect(await found(/secret-\d/g)).toEqual(new Set());
});

it('writes no checkpoint of its own while nothing is deleted', async () => {
  append(1, [said(newPlace(), 'kept-1')]);
  await clock.pass(120_000);
  expect(await readFile(join(folder, 'chat.db'), 'latin1')).not.toContain('kept-1');
  expect(await found(/kept-\d/g)).toEqual(new Set(['kept-1']));
});

it('leaves no copy of 3,000 deleted texts in the unused parts of pages when the file closes', async () => {
  const [places, kept, gone] = [Array.from({ length: 20 }, () => newPlace()), new Set<string>(), new Set<string>()];
  const ends = new Map<string, number>();
  const live: Draft[] = [];
  let [seed, texts] = [1, 0];
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const store = (draft: Draft) => {
    const end = (ends.get(draft.place) ?? 0) + 1;
    append(end, [draft]);
    ends.set(draft.place, end);
  };
  db.exec('PRAGMA synchronous = OFF');
  while (gone.size < 3_000) {
    if (live.length < 20 || random(5) < 3) {
      texts += 1;
      const text = `secret-${String(texts).padStart(6, '0')}`;
      const draft = said(
        places[random(20)] ?? newPlace(),
        `${'y'.repeat(random(150))}${text}${'z'.repeat(random(150))}`,
      );
      store(draft);
      kept.add(text);
      live.push(draft);
      continue;
    }
    const [draft] = live.splice(random(live.length), 1);
    if (draft?.kind !== 'message') continue;
    store(deleted(draft));
    const text = /secret-\d{6}/.exec(draft.content)?.[0] ?? '';
    kept.delete(text);
    gone.add(text);
  }
  purge.closing();
  db.close();
  expect(await found(/secret-\d{6}/g)).toEqual(kept);
});
